// A pattern fits more than destinations: other types, queues, keys that are no text.

import { expect, test } from "bun:test";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { failure, items, testScope } from "../helpers/scope.ts";
import { writeBodies, wrongVectors } from "./library.ts";

test("other types under the pattern stay as they are", async () => {
  await using scope = await testScope();
  const { client } = scope;
  const keys = await writeBodies(scope, 5);
  await client.set("doc:string", "text");
  await client.lPush("doc:list", "text");
  await client.sAdd("doc:set", "text");
  await client.zAdd("doc:zset", { score: 1, value: "text" });
  await client.xAdd("doc:stream", "*", { body: "text" });
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  const result = await queue.backfill({ match: "doc:*", textField: "body" });
  expect(result).toMatchObject({ matched: 5, enqueued: 5, skipped: 0 });
  await queue.flushAndWait();
  expect(await wrongVectors(scope, embedder, keys)).toEqual([]);
  const types = ["string", "list", "set", "zset", "stream"];
  expect(await Promise.all(types.map((type) => client.type(`doc:${type}`)))).toEqual(types);
  expect(await scope.dead()).toEqual([]);
});

test("the queue's own keys are met by no walk, whatever the pattern", async () => {
  await using scope = await testScope();
  const { client, keys, name } = scope;
  await writeBodies(scope, 3);
  const queue = await scope.queue({ embedder: new FakeEmbedder() });
  // What a hash of the queue could hold under these names.
  await client.hSet(keys.retries, "model", "2");
  await client.hSet(`${name}:cache:1`, "model", "text");
  await client.hSet("{embedq:account}:budget", "model", "1");
  const settings = await client.hGetAll(keys.settings);
  const asked: string[] = [];
  const textOf = (page: readonly string[]) => {
    asked.push(...page);
    return Promise.resolve(page.map(() => undefined));
  };
  await queue.backfill({ match: "*", textOf });
  expect(asked.toSorted()).toEqual(["doc:0", "doc:1", "doc:2"]);
  const result = await queue.backfill({ match: "*", textField: "model" });
  expect(result).toMatchObject({ matched: 3, enqueued: 0, skipped: 3 });
  expect(await client.hGetAll(keys.settings)).toEqual(settings);
  await client.del(keys.retries);
});

test("the keys of another queue and of its account are met by no walk, and it works on unharmed", async () => {
  await using scope = await testScope();
  const { client } = scope;
  const other = await scope.queue({ name: "second", embedder: new FakeEmbedder() });
  await other.pause();
  const waiting = items(2, "other");
  await other.enqueueMany(waiting);
  await client.hSet("{second}:retries", "other:0", "1");
  await client.hSet("{embedq:second}:budget", "60000 1 r", "1");
  await client.hSet("{second}:article", "title", "a key of the user's, with the same hash tag");
  const parts = ["dedup", "retries", "settings", "usage"];
  const ofOther = [...parts.map((part) => `{second}:${part}`), "{embedq:second}:budget"];
  const read = () => Promise.all(ofOther.map((key) => client.hGetAll(key)));
  const before = await read();
  expect(before.slice(0, 3).every((fields) => Object.keys(fields).length > 0)).toBe(true);

  const queue = await scope.queue({ embedder: new FakeEmbedder() });
  for (const walk of ["backfill", "reembed"] as const) {
    const asked: string[] = [];
    const textOf = (page: readonly string[]) => {
      asked.push(...page);
      return Promise.resolve(page.map((key) => `text of ${key}`));
    };
    const result = await queue[walk]({ match: "*", textOf });
    expect(asked).toEqual(["{second}:article"]);
    expect(result).toMatchObject({ matched: 1, skipped: 0 });
    await queue.flushAndWait();
    expect(await read()).toEqual(before);
  }
  await other.resume();
  expect(await other.flushAndWait()).toEqual({ done: true, remaining: 0 });
  expect(await other.deadLetters()).toEqual([]);
});

test("a key that is no text is counted and left alone, and so is the key it would be read as", async () => {
  await using scope = await testScope();
  const bytes = Buffer.from([0x64, 0x6f, 0x63, 0x3a, 0xff]);
  await scope.client.sendCommand(["HSET", bytes as never, "body", "text"]);
  const queue = await scope.queue();
  const result = await queue.backfill({
    match: "doc:*",
    textOf: (page) => Promise.resolve([...page]),
  });
  expect(result).toMatchObject({ matched: 1, enqueued: 0, skipped: 1 });
  expect(await scope.client.exists("doc:\ufffd")).toBe(0);
  expect(await scope.dedup()).toEqual({});
});

test("keys that this user may not read are left alone", async () => {
  await using scope = await testScope();
  await writeBodies(scope, 3);
  await writeBodies(scope, 2, "secret");
  const { name } = scope;
  const rules = ["on", ">word", `~{${name}}:*`, "~doc:*", "&*", "+@all"];
  await scope.client.aclSetUser("limited", rules);
  const queue = await scope.queue({ redis: scope.url.replace("//", "//limited:word@") });
  const result = await queue.backfill({ match: "*", textField: "body" });
  expect(result).toMatchObject({ matched: 5, enqueued: 3, skipped: 2 });
});

test("a hash that becomes another type while it is met is left alone", async () => {
  await using scope = await testScope();
  await writeBodies(scope, 3);
  const queue = await scope.queue({ maxBatchSize: 1 });
  await queue.enqueue("other", "fills the queue");
  // The page is known, and waits for room, while one of its hashes is replaced.
  const walk = queue.backfill({ match: "doc:*", textField: "body", maxPending: 1 });
  await scope.client.del("doc:1");
  await scope.client.set("doc:1", "a string now");
  await queue.cancel("other");
  const result = await walk;
  expect(result).toMatchObject({ done: true, enqueued: 2 });
  expect(await scope.client.get("doc:1")).toBe("a string now");
});

test("a server that refuses to scan ends the walk with its own words", async () => {
  await using scope = await testScope();
  await scope.client.aclSetUser("blind", ["on", ">word", "~*", "&*", "+@all", "-scan"]);
  const queue = await scope.queue({ redis: scope.url.replace("//", "//blind:word@") });
  const error = await failure(queue.backfill({ match: "*", textField: "body" }));
  expect(error).toMatchObject({ code: "ERR_WALK_FAILED", cause: { code: "ERR_REDIS_REPLY" } });
  expect(String(error)).toContain("NOPERM");
});
