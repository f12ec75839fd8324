// Equal texts under other keys, or at other times, cost one call where the cache is on.

import { expect, test } from "bun:test";
import type { EmbeddingQueue } from "../../src/index.ts";
import { FakeEmbedder, throwing } from "../helpers/embedder.ts";
import { heard, items, type Scope, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";

const CACHE = { cache: { ttlMs: 60_000 } };

async function finish(queue: EmbeddingQueue, key: string, text: string): Promise<void> {
  await queue.enqueue(key, text);
  await queue.flushAndWait();
}

function cacheKeys(scope: Scope): Promise<string[]> {
  return scope.client.keys(`${scope.name}:cache:*`);
}

/** A vector is kept beside the write, which nothing waits for. */
async function untilKept(scope: Scope, count: number): Promise<void> {
  const isKept = async () => (await cacheKeys(scope)).length === count;
  await until(isKept, { what: `${count} vectors in the cache` });
}

test("an equal text under another key costs no call, and is counted as a hit", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder, ...CACHE });
  await finish(queue, "doc:1", "same");
  await untilKept(scope, 1);
  await finish(queue, "doc:2", "same");
  await finish(queue, "doc:3", "other");
  expect(embedder.calls).toEqual([["same"], ["other"]]);
  expect(await scope.vector("doc:2")).toEqual([...embedder.vectorOf("same")]);
  expect(await scope.destination("doc:2")).toMatchObject({ embedding_status: "embedded" });
  const isCounted = async () => (await queue.stats()).usage.cacheHits === 1;
  await until(isCounted, { what: "the hit to be counted" });
});

test("another process with a cache shares it, one without has none", async () => {
  await using scope = await testScope();
  const first = await scope.queue({ embedder: new FakeEmbedder(), ...CACHE });
  await finish(first, "doc:1", "same");
  await untilKept(scope, 1);
  await first.stop();
  const sharing = new FakeEmbedder();
  const second = await scope.queue({ embedder: sharing, ...CACHE });
  await finish(second, "doc:2", "same");
  expect(sharing.calls).toEqual([]);
  await second.stop();
  const alone = new FakeEmbedder();
  const third = await scope.queue({ embedder: alone });
  await finish(third, "doc:3", "same");
  expect(alone.calls).toEqual([["same"]]);
  expect(await cacheKeys(scope)).toHaveLength(1);
});

test("of one claim only what is not in the cache is called for", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder, ...CACHE });
  await queue.enqueueMany(items(10));
  await queue.flushAndWait();
  await untilKept(scope, 10);
  const moved = items(13).map(({ text }, i) => ({ key: `moved:${i}`, text }));
  await queue.enqueueMany(moved);
  await queue.flushAndWait();
  expect(embedder.calls[1]?.toSorted()).toEqual(
    moved
      .slice(10)
      .map(({ text }) => text)
      .toSorted(),
  );
  for (const { key, text } of moved) {
    expect(await scope.vector(key)).toEqual([...embedder.vectorOf(text)]);
  }
});

test("what the provider refuses or fails on is not kept", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder, ...CACHE });
  embedder.next(throwing(new Error("broken")));
  await finish(queue, "doc:1", "text");
  await untilKept(scope, 1);
  await finish(queue, "doc:2", "");
  expect(embedder.calls).toEqual([["text"], ["text"]]);
  expect(await cacheKeys(scope)).toHaveLength(1);
});

test("a cache that cannot be used is reported, and the provider is called instead", async () => {
  await using scope = await testScope();
  // May do everything, but not with the keys of the cache.
  const rules = ["on", "nopass", "+@all", "&*", `~{${scope.name}}*`, "~doc:*"];
  await scope.client.sendCommand(["ACL", "SETUSER", "narrow", ...rules]);
  const embedder = new FakeEmbedder();
  const redis = scope.url.replace("redis://", "redis://narrow:any@");
  const queue = await scope.queue({ redis, embedder, ...CACHE });
  const failures = heard(queue, "cache:failed");
  await finish(queue, "doc:1", "same");
  await finish(queue, "doc:2", "same");
  expect(embedder.calls).toEqual([["same"], ["same"]]);
  expect(await scope.vector("doc:2")).toEqual([...embedder.vectorOf("same")]);
  expect(failures.length).toBeGreaterThan(0);
  for (const { error } of failures) expect(error).toMatchObject({ code: "ERR_REDIS_REPLY" });
});

test("another task, another cache", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder({ task: "query" });
  const queue = await scope.queue({ embedder, ...CACHE, flushIntervalMs: 0 });
  await (await queue.enqueue("doc:1", "text")).embedding();
  await until(async () => (await scope.client.keys(`${scope.name}:cache:*`)).length === 1, {
    what: "the vector to be kept",
  });
  await queue.stop();
  const other = new FakeEmbedder({ task: "document" });
  const producer = await scope.queue();
  await producer.configure({ model: "fake-1", dimensions: 4, task: "document" });
  const second = await scope.queue({ embedder: other, ...CACHE });
  await (await second.enqueue("doc:2", "text")).embedding();
  expect(other.texts).toEqual(["text"]);
});

test("the vector of a text that was cut is not kept for others, who may want it whole", async () => {
  await using scope = await testScope();
  const long = "one two three four five six seven eight";
  const limits = { maxInputTokens: 4, countTokens: (text: string) => text.split(" ").length };
  for (const onOversize of ["truncate", "split-and-average"] as const) {
    const embedder = new FakeEmbedder({ limits });
    const queue = await scope.queue({ embedder, onOversize, ...CACHE });
    await queue.enqueueMany([
      { key: `doc:${onOversize}`, text: long },
      { key: `short:${onOversize}`, text: "one two" },
    ]);
    await queue.flushAndWait();
    await queue.stop();
    expect(embedder.texts).toContain("one two three four");
  }
  expect(await cacheKeys(scope)).toHaveLength(1);
});
