// Proves the helper that counts commands.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { createClient } from "redis";
import { watchCommands } from "./monitor.ts";
import { type RedisServer, startRedis } from "./redis.ts";

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

test("watchCommands sees what clients send, once each, and neither Lua's calls nor its own", async () => {
  const client = createClient({ url: server.url });
  await client.connect();
  await using seen = await watchCommands(server.url);

  await client.set("a", 'a "quoted" \\ line\nbreak');
  await client.eval("redis.call('SET', KEYS[1], '1') return redis.call('GET', KEYS[1])", {
    keys: ["b"],
  });
  await seen.settled();
  expect(seen.commands.map(({ command }) => command)).toEqual(["SET", "EVAL"]);
  expect(seen.commands[0]?.args[0]).toBe("a");
  expect(seen.commands[0]?.args).toHaveLength(2);
  expect(seen.commands[0]?.client).toMatch(/^127\.0\.0\.1:\d+$/);

  seen.clear();
  await Promise.all([client.echo("mine"), client.get("a"), client.get("a")]);
  await seen.settled();
  expect(seen.commands.map(({ command }) => command)).toEqual(["ECHO", "GET", "GET"]);
  await client.disconnect();
});
