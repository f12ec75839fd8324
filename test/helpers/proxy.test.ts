// Proves the proxy that breaks the network.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { setTimeout as pause } from "node:timers/promises";
import { createClient } from "redis";
import { startProxy } from "./proxy.ts";
import { type RedisServer, startRedis } from "./redis.ts";
import { until } from "./until.ts";

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

async function connectTo(url: string) {
  const client = createClient({ url, socket: { reconnectStrategy: false } });
  client.on("error", () => {});
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.disconnect() });
}

/** Whether a promise is still open after a while. The one place where only time can tell. */
async function isOpenAfter(ms: number, promise: Promise<unknown>): Promise<boolean> {
  return (await Promise.race([promise.then(() => false), pause(ms, true)])) === true;
}

test("the proxy passes everything, also what is large", async () => {
  await using proxy = await startProxy(server.port);
  await using client = await connectTo(proxy.url);
  expect(proxy.connections).toBe(1);
  const large = "x".repeat(3_000_000);
  await client.set("large", large);
  expect(await client.get("large")).toBe(large);
});

test("cut destroys the connections, and new ones come through", async () => {
  await using proxy = await startProxy(server.port);
  const client = await connectTo(proxy.url);
  proxy.cut();
  await until(() => !client.isOpen, { what: "the client to see the cut" });
  await until(() => proxy.connections === 0, { what: "the count to fall" });
  await using again = await connectTo(proxy.url);
  expect(await again.ping()).toBe("PONG");
});

test("refuse turns new connections away and keeps old ones; accept takes them again", async () => {
  await using proxy = await startProxy(server.port);
  await using client = await connectTo(proxy.url);
  await proxy.refuse();
  await expect(connectTo(proxy.url)).rejects.toThrow(/refused/i);
  expect(await client.ping()).toBe("PONG");
  await proxy.accept();
  await using again = await connectTo(proxy.url);
  expect(await again.ping()).toBe("PONG");
  expect(proxy.connections).toBe(2);
});

test("stall holds everything back without an end; flow lets it go on", async () => {
  await using proxy = await startProxy(server.port);
  await using client = await connectTo(proxy.url);
  proxy.stall();
  proxy.stall();
  const reply = client.ping();
  expect(await isOpenAfter(50, reply)).toBe(true);
  expect(client.isReady).toBe(true);
  proxy.flow();
  expect(await reply).toBe("PONG");
});

test("delay holds each direction back", async () => {
  await using proxy = await startProxy(server.port);
  await using client = await connectTo(proxy.url);
  proxy.delay(30);
  const start = performance.now();
  expect(await client.ping()).toBe("PONG");
  expect(performance.now() - start).toBeGreaterThanOrEqual(59);
});

test("the proxy passes on that the server went away", async () => {
  await using brief = await startRedis();
  await using proxy = await startProxy(brief.port);
  const client = await connectTo(proxy.url);
  await brief.kill();
  await until(() => !client.isOpen, { what: "the client to see the end" });
});

test("stop is idempotent and works while refusing", async () => {
  const proxy = await startProxy(server.port);
  await proxy.refuse();
  await proxy.stop();
  await proxy.stop();
});
