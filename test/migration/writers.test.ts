// Others write while a walk goes on: what they enqueue is newer than what the walk has read.

import { expect, test } from "bun:test";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { testScope } from "../helpers/scope.ts";
import { bodyOf, changeModel, NEW, writeBodies, writeLibrary, wrongVectors } from "./library.ts";

test("a text that is enqueued while an older one is being looked up wins, though it waits", async () => {
  await using scope = await testScope();
  await writeLibrary(scope, 3);
  await changeModel(scope);
  const queue = await scope.queue();
  const result = await queue.reembed({
    match: "doc:*",
    textOf: async (page) => {
      await queue.enqueue("doc:1", "newer");
      return page.map(() => "older");
    },
  });
  expect(result).toMatchObject({ enqueued: 2, unchanged: 1 });
  const embedder = new FakeEmbedder(NEW);
  await scope.worker({ embedder });
  await queue.flushAndWait();
  const textOf = (key: string) => (key === "doc:1" ? "newer" : "older");
  expect(await wrongVectors(scope, embedder, ["doc:0", "doc:1", "doc:2"], textOf)).toEqual([]);
});

test("a text that is enqueued and stored while an older one is being looked up stays", async () => {
  await using scope = await testScope();
  const keys = await writeLibrary(scope, 3);
  await changeModel(scope);
  const embedder = new FakeEmbedder(NEW);
  const queue = await scope.queue({ embedder });
  await queue.reembed({
    match: "doc:*",
    textOf: async (page) => {
      await queue.enqueueMany(keys.map((key) => ({ key, text: "newer" })));
      await queue.flushAndWait();
      return page.map(() => "older");
    },
  });
  await queue.flushAndWait();
  expect(embedder.texts).not.toContain("older");
  expect(await wrongVectors(scope, embedder, keys, () => "newer")).toEqual([]);
});

test("what was outstanding before the reading gives way to what the hash holds by now", async () => {
  await using scope = await testScope();
  await writeBodies(scope, 1);
  const queue = await scope.queue();
  await queue.enqueue("doc:0", "an older body");
  await queue.backfill({ match: "doc:*", textField: "body" });
  const embedder = new FakeEmbedder();
  await scope.worker({ embedder });
  await queue.flushAndWait();
  expect(embedder.texts).toEqual([bodyOf("doc:0")]);
});

test("a version of ten minutes ahead, from before the clock stepped back, does not keep a key from the walk", async () => {
  await using scope = await testScope();
  const keys = await writeLibrary(scope, 4);
  await changeModel(scope);
  const ahead = (Date.now() + 600_000) * 1000;
  await scope.client.hSet("doc:1", "embedding_version", String(ahead));
  await scope.client.hSet("doc:2", "embedding_version", "damaged");
  await scope.client.hSet("doc:3", "embedding_version", String(ahead * 10));
  const embedder = new FakeEmbedder(NEW);
  const queue = await scope.queue({ embedder });
  const result = await queue.reembed({ match: "doc:*", textField: "body" });
  expect(result.enqueued).toBe(4);
  await queue.flushAndWait();
  expect(await wrongVectors(scope, embedder, keys)).toEqual([]);
  for (const key of ["doc:2", "doc:3"]) {
    // Damage counts as none.
    const { embedding_version: version } = await scope.destination(key);
    expect(Number(version)).toBeLessThan(ahead);
  }
  expect((await scope.destination("doc:1"))["embedding_version"]).toBe(String(ahead + 1));
});

test("writers, a worker and a walk at once: every hash ends with the vector of its last text", async () => {
  await using scope = await testScope();
  const keys = await writeLibrary(scope, 400);
  await changeModel(scope);
  const embedder = new FakeEmbedder(NEW);
  await scope.worker({ embedder, maxBatchSize: 50 });
  const queue = await scope.queue();
  const last = new Map<string, string>();
  let isOver = false;
  const write = async (writer: number) => {
    for (let round = 0; !isOver || round < 50; round++) {
      // Each key has one writer.
      const key = keys[writer + 4 * ((round * 7) % 100)] ?? "";
      const text = `round ${round} of ${key}`;
      last.set(key, text);
      // First the hash, then the queue.
      await scope.client.hSet(key, "body", text);
      await queue.enqueue(key, text);
    }
  };
  const writers = [0, 1, 2, 3].map(write);
  let walks = 0;
  for (; walks < 5; walks++) {
    const result = await queue.reembed({ match: "doc:*", textField: "body", pageSize: 20 });
    expect(result.done).toBe(true);
  }
  isOver = true;
  await Promise.all(writers);
  expect((await queue.flushAndWait()).done).toBe(true);
  expect(last.size).toBeGreaterThan(40);
  const textOf = (key: string) => last.get(key) ?? bodyOf(key);
  expect(await wrongVectors(scope, embedder, keys, textOf)).toEqual([]);
  const after = await queue.reembed({ match: "doc:*", textField: "body" });
  expect(after).toMatchObject({ enqueued: 0, unchanged: 400 });
});
