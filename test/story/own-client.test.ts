// The caller's own node-redis client: used, never closed, blocked or changed.

import { expect, test } from "bun:test";
import { inspect } from "node:util";
import { createClient } from "redis";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { failure, heard, items, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";

test("a client that is handed in does the work, stays open and stays as it was", async () => {
  await using scope = await testScope();
  const options = {
    url: scope.url,
    name: "mine",
    socket: { keepAlive: 4000, reconnectStrategy: () => 20 },
  };
  const client = createClient(options);
  client.on("error", () => {});
  await client.connect();
  try {
    const shape = () => ({
      options: inspect(client.options, { depth: 5 }),
      given: inspect(options, { depth: 5 }),
      listeners: ["error", "ready", "end", "connect", "reconnecting"].map((name) =>
        client.listenerCount(name),
      ),
    });
    const before = shape();
    const embedder = new FakeEmbedder();
    const queue = await scope.queue({ redis: client, embedder });
    const tickets = await queue.enqueueMany(items(60));
    await queue.flushNow();
    const vectors = await Promise.all(tickets.map((ticket) => ticket.embedding()));
    expect(vectors).toEqual(items(60).map(({ text }) => embedder.vectorOf(text)));
    // In the middle of the queue's work it serves its owner, transactions included.
    expect(await client.multi().set("mine", "1").get("mine").exec()).toEqual(["OK", "1"]);
    await queue.stop();
    expect(client.isReady).toBe(true);
    expect(await client.get("mine")).toBe("1");
    expect(shape()).toEqual(before);
  } finally {
    await client.disconnect();
  }
});

test("a client with a database and a name of its own: waits hear the right database", async () => {
  await using scope = await testScope();
  const client = createClient({ url: scope.url, database: 3 });
  client.on("error", () => {});
  await client.connect();
  try {
    const embedder = new FakeEmbedder();
    const queue = await scope.queue({ redis: client, embedder });
    const ticket = await queue.enqueue("doc:1", "text");
    const wait = ticket.embedding({ timeoutMs: 5000 });
    await queue.flushNow();
    expect(await wait).toEqual(embedder.vectorOf("text"));
    expect(await client.hGet("doc:1", "embedding_status")).toBe("embedded");
    expect(await scope.client.exists("doc:1")).toBe(0);
    await queue.stop();
  } finally {
    await client.disconnect();
  }
});

test("a client that changed its database by SELECT is heard as well", async () => {
  await using scope = await testScope();
  const client = createClient({ url: scope.url });
  client.on("error", () => {});
  await client.connect();
  await client.select(5);
  try {
    const embedder = new FakeEmbedder();
    const queue = await scope.queue({ redis: client, embedder });
    const ticket = await queue.enqueue("doc:1", "text");
    const wait = ticket.embedding({ timeoutMs: 5000 });
    await queue.flushNow();
    expect(await wait).toEqual(embedder.vectorOf("text"));
    await queue.stop();
  } finally {
    await client.disconnect();
  }
});

test("one client may serve several queue objects", async () => {
  await using scope = await testScope();
  const client = createClient({ url: scope.url });
  client.on("error", () => {});
  await client.connect();
  try {
    const embedder = new FakeEmbedder();
    const worker = await scope.worker({ redis: client, embedder });
    const producer = await scope.queue({ redis: client });
    await worker.stop();
    const second = await scope.worker({ redis: client, embedder });
    const ticket = await producer.enqueue("doc:1", "text");
    await producer.flushAndWait();
    expect(await ticket.embedding()).toEqual(embedder.vectorOf("text"));
    await Promise.all([producer.stop(), second.stop()]);
    expect(await client.ping()).toBe("PONG");
  } finally {
    await client.disconnect();
  }
});

test("a client that is not connected is refused with a clear error", async () => {
  await using scope = await testScope();
  const queue = scope.newQueue({ redis: createClient({ url: scope.url }) });
  const error = (await failure(queue.start())) as Error;
  expect(error).toMatchObject({ code: "ERR_OPTION_INVALID" });
  expect(error.message).toContain("connect");
});

test("a client in legacy mode is refused with a clear error, and stays open", async () => {
  await using scope = await testScope();
  const client = createClient({ url: scope.url, legacyMode: true });
  client.on("error", () => {});
  await client.connect();
  try {
    const error = (await failure(scope.newQueue({ redis: client }).start())) as Error;
    expect(error).toMatchObject({ code: "ERR_OPTION_INVALID" });
    expect(error.message).toContain("legacy");
    expect(client.isReady).toBe(true);
  } finally {
    await client.disconnect();
  }
});

test("options of node-redis that are handed in are not changed", async () => {
  await using scope = await testScope();
  const options = { url: scope.url, socket: { connectTimeout: 3000 }, name: "given" };
  const before = inspect(options, { depth: 5 });
  const queue = await scope.queue({ redis: options });
  await queue.enqueue("doc:1", "text");
  await queue.stop();
  expect(inspect(options, { depth: 5 })).toBe(before);
});

test("when Redis dies no 'error' event goes unhandled, and work goes on when it is back", async () => {
  await using scope = await testScope();
  const proxy = await scope.proxy();
  const uncaught: unknown[] = [];
  const listen = (error: unknown) => uncaught.push(error);
  process.on("uncaughtException", listen);
  process.on("unhandledRejection", listen);
  // No 'error' listener of the caller's: embedq's own must do.
  const client = createClient({ url: proxy.url, socket: { reconnectStrategy: () => 20 } });
  await client.connect();
  try {
    const embedder = new FakeEmbedder();
    const queue = await scope.queue({ redis: client, embedder });
    const lost = heard(queue, "connection:lost");
    const restored = heard(queue, "connection:restored");
    await proxy.refuse();
    proxy.cut();
    const roles = (list: { role: string }[]) => list.map(({ role }) => role).toSorted();
    await until(() => new Set(roles(lost)).size === 2, { what: "both connections to be lost" });
    await proxy.accept();
    await until(() => new Set(roles(restored)).size === 2, { what: "both connections to be back" });
    const ticket = await queue.enqueue("doc:1", "text");
    const wait = ticket.embedding({ timeoutMs: 10_000 });
    await queue.flushNow();
    expect(await wait).toEqual(embedder.vectorOf("text"));
    await queue.stop();
    expect(uncaught).toEqual([]);
  } finally {
    process.off("uncaughtException", listen);
    process.off("unhandledRejection", listen);
    await client.disconnect();
  }
});

test("a Redis that is not there refuses the start within commandTimeoutMs, without the password", async () => {
  await using scope = await testScope();
  const proxy = await scope.proxy();
  await proxy.refuse();
  const queue = scope.newQueue({
    redis: `redis://user:secret@127.0.0.1:${proxy.port}`,
    commandTimeoutMs: 200,
  });
  const error = (await failure(queue.start())) as Error;
  expect(error).toMatchObject({ code: "ERR_REDIS_UNAVAILABLE" });
  expect(inspect(error, { depth: 5 })).not.toContain("secret");
});

test("a bad URL is refused without showing it", async () => {
  await using scope = await testScope();
  const redis = "http://user:secret@nowhere";
  const error = await failure((async () => scope.newQueue({ redis }).start())());
  expect(error).toMatchObject({ code: "ERR_OPTION_INVALID" });
  expect(inspect(error, { depth: 5 })).not.toContain("secret");
});

test("settings that were changed while a process was cut off are adopted when it is back", async () => {
  await using scope = await testScope();
  const proxy = await scope.proxy();
  const embedder = new FakeEmbedder();
  const far = await scope.queue({ redis: proxy.url, embedder });
  const near = await scope.queue();
  const lost = heard(far, "connection:lost");
  await proxy.refuse();
  proxy.cut();
  await until(() => lost.length > 0, { what: "the connection to be lost" });
  await near.configure({ field: "vec", maxAttempts: 7 });
  await proxy.accept();
  await until(() => far.settings.maxAttempts === 7, { what: "the settings to be adopted" });
  const ticket = await near.enqueue("doc:1", "text");
  await near.flushNow();
  expect(await ticket.embedding({ timeoutMs: 10_000 })).toEqual(embedder.vectorOf("text"));
  expect(await scope.client.hGet("doc:1", "vec_status")).toBe("embedded");
});
