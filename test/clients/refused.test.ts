// What is no client of a single Redis is refused at the start, and stays as it was.

import { describe, expect, test } from "bun:test";
import { createCluster as cluster4 } from "redis";
import {
  createCluster as cluster5,
  createClientPool as pool5,
  createSentinel as sentinel5,
} from "redis-5";
import {
  createClient as client6,
  createCluster as cluster6,
  createClientPool as pool6,
  createSentinel as sentinel6,
} from "redis-6";
import type { RedisOption } from "../../src/index.ts";
import { failure, testScope } from "../helpers/scope.ts";
import { KINDS } from "./kinds.ts";

const rootNodes = [{ url: "redis://user:secret@127.0.0.1:1" }];
const sentinels = { name: "main", sentinelRootNodes: [{ host: "127.0.0.1", port: 1 }] };

test.each<[string, string, () => unknown]>([
  ["a cluster of node-redis 4", "cluster", () => cluster4({ rootNodes })],
  ["a cluster of node-redis 5", "cluster", () => cluster5({ rootNodes })],
  ["a cluster of node-redis 6", "cluster", () => cluster6({ rootNodes })],
  ["a pool of node-redis 5", "pool", () => pool5({ url: "redis://user:secret@127.0.0.1:1" })],
  ["a pool of node-redis 6", "pool", () => pool6({ url: "redis://user:secret@127.0.0.1:1" })],
  ["Sentinel of node-redis 5", "Sentinel", () => sentinel5(sentinels)],
  ["Sentinel of node-redis 6", "Sentinel", () => sentinel6(sentinels)],
  ["a client for callbacks", "another object", () => client6().legacy()],
])("%s", async (_, word, create) => {
  await using scope = await testScope();
  const error = (await failure(
    scope.newQueue({ redis: create() as RedisOption }).start(),
  )) as Error;
  expect(error).toMatchObject({ code: "ERR_OPTION_INVALID" });
  expect(error.message).toContain("node-redis 4, 5 or 6");
  expect(error.message).toContain(word);
  expect(error.message).not.toContain("secret");
});

describe.each(KINDS)("$kind", ({ create }) => {
  test("a client that is not connected", async () => {
    await using scope = await testScope();
    const client = create({ url: scope.url });
    const error = (await failure(scope.newQueue({ redis: client }).start())) as Error;
    expect(error).toMatchObject({ code: "ERR_OPTION_INVALID" });
    expect(error.message).toContain("connect");
    expect(client.isOpen).toBe(false);
  });
});
