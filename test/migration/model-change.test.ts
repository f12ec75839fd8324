// Another model for a queue in use: configure, a new worker, and one walk over what is there.

import { expect, test } from "bun:test";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { failure, items, testScope } from "../helpers/scope.ts";
import { bodyOf, changeModel, NEW, OLD, writeLibrary, wrongVectors } from "./library.ts";

test("after a change of the model every destination gets a vector of the new one", async () => {
  await using scope = await testScope();
  const keys = await writeLibrary(scope, 120);
  const producer = await scope.queue();
  await changeModel(scope);
  const embedder = new FakeEmbedder(NEW);
  const worker = await scope.worker({ embedder });

  const result = await producer.reembed({ match: "doc:*", textField: "body" });
  expect(result).toMatchObject({
    done: true,
    matched: 120,
    enqueued: 120,
    skipped: 0,
    restarts: 0,
  });
  // More than a batch: nothing waits for the timer.
  await scope.untilEmpty();
  expect(await wrongVectors(scope, embedder, keys)).toEqual([]);
  expect(await scope.destination("doc:7")).toMatchObject({
    body: bodyOf("doc:7"),
    embedding_status: "embedded",
  });

  const again = await producer.reembed({ match: "doc:*", textField: "body" });
  expect(again).toMatchObject({ done: true, enqueued: 0, unchanged: 120 });
  expect(embedder.texts.length).toBe(120);
  await worker.stop();
});

test("batches are full, the last one of the walk apart", async () => {
  await using scope = await testScope();
  await writeLibrary(scope, 130);
  await changeModel(scope);
  const embedder = new FakeEmbedder(NEW);
  const queue = await scope.queue({ embedder });
  await queue.reembed({ match: "doc:*", textField: "body", pageSize: 17 });
  await scope.untilEmpty();
  expect(embedder.batchSizes.toSorted((a, b) => b - a)).toEqual([50, 50, 30]);
});

test("only texts that changed are embedded again where the model stays", async () => {
  await using scope = await testScope();
  const keys = await writeLibrary(scope, 40);
  await scope.client.hSet("doc:3", "body", "another body");
  const embedder = new FakeEmbedder(OLD);
  const queue = await scope.queue({ embedder });
  const result = await queue.reembed({ match: "doc:*", textField: "body" });
  expect(result).toMatchObject({ matched: 40, enqueued: 1, unchanged: 39 });
  expect(await queue.flushAndWait()).toEqual({ done: true, remaining: 0 });
  expect(embedder.texts).toEqual(["another body"]);
  const others = keys.filter((key) => key !== "doc:3");
  expect(await wrongVectors(scope, embedder, others)).toEqual([]);
});

test("another task is another vector space", async () => {
  await using scope = await testScope();
  await writeLibrary(scope, 5);
  await changeModel(scope, { task: "search" });
  const queue = await scope.queue({ embedder: new FakeEmbedder({ ...OLD, task: "search" }) });
  const result = await queue.reembed({ match: "doc:*", textField: "body" });
  expect(result.enqueued).toBe(5);
  await queue.flushAndWait();
});

test("a vector that something else wrote, without version or source, is replaced", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  await scope.client.hSet("doc:0", { body: "from the old system", embedding: "0123456789abcdef" });
  expect((await queue.reembed({ match: "doc:*", textField: "body" })).enqueued).toBe(1);
  await queue.flushAndWait();
  expect(await wrongVectors(scope, embedder, ["doc:0"], () => "from the old system")).toEqual([]);
});

test("blank texts get a zero vector of the new size, without a call", async () => {
  await using scope = await testScope();
  await scope.client.hSet("doc:0", "body", "  ");
  const old = await scope.queue({ embedder: new FakeEmbedder(OLD) });
  await old.enqueue("doc:0", "  ");
  await old.stop();
  await changeModel(scope);
  const embedder = new FakeEmbedder(NEW);
  const queue = await scope.queue({ embedder });
  expect((await queue.reembed({ match: "doc:*", textField: "body" })).enqueued).toBe(1);
  expect(await scope.vector("doc:0")).toEqual([0, 0, 0, 0, 0, 0]);
  expect((await queue.reembed({ match: "doc:*", textField: "body" })).unchanged).toBe(1);
  expect(embedder.calls).toEqual([]);
});

test("dead texts are left alone, unless asked for or their zero vector has the old size", async () => {
  await using scope = await testScope();
  const bodies = items(2).map(({ key, text }) => scope.client.hSet(key, "body", text));
  await Promise.all(bodies);
  const refusing = new FakeEmbedder(OLD).always(() => [new Error("no"), new Error("no")]);
  const old = await scope.queue({ embedder: refusing, maxAttempts: 1 });
  await old.enqueueMany(items(2));
  await old.flushAndWait();
  const range = { match: "doc:*", textField: "body" } as const;
  expect(await old.reembed(range)).toMatchObject({ enqueued: 0, skipped: 2 });
  expect(await old.reembed({ ...range, includeDead: true })).toMatchObject({ enqueued: 2 });
  await old.flushAndWait();
  await old.stop();

  await changeModel(scope);
  const embedder = new FakeEmbedder(NEW);
  const queue = await scope.queue({ embedder });
  expect(await queue.reembed(range)).toMatchObject({ enqueued: 2 });
  await queue.flushAndWait();
  const text = (key: string) => items(2).find((item) => item.key === key)?.text ?? "";
  expect(await wrongVectors(scope, embedder, ["doc:0", "doc:1"], text)).toEqual([]);
});

test("a queue that has no model yet has nothing to compare with", async () => {
  await using scope = await testScope();
  const queue = await scope.queue();
  const error = await failure(queue.reembed({ match: "doc:*", textField: "body" }));
  expect(error).toMatchObject({ code: "ERR_OPTION_INVALID" });
  expect(String(error)).toContain("nobody has named one");
});

test("a process that asks for the old model is refused", async () => {
  await using scope = await testScope();
  const old = await scope.queue(OLD);
  await changeModel(scope);
  const error = await failure(old.reembed({ match: "doc:*", textField: "body" }));
  expect(error).toMatchObject({ code: "ERR_SETTINGS_CONFLICT" });
});

test("a new field keeps the old vectors until the new ones are complete: there it is a backfill", async () => {
  await using scope = await testScope();
  const keys = await writeLibrary(scope, 20);
  const before = await scope.vector("doc:7");
  await changeModel(scope, { ...NEW, field: "embedding2" });
  const queue = await scope.queue({ embedder: new FakeEmbedder(NEW) });
  const range = { match: "doc:*", textField: "body" } as const;
  expect(await queue.reembed(range)).toMatchObject({ enqueued: 0, skipped: 20 });
  expect(await queue.backfill(range)).toMatchObject({ enqueued: 20 });
  await queue.flushAndWait();
  expect(await scope.vector("doc:7")).toEqual(before);
  for (const key of keys) {
    expect(await scope.client.hStrLen(key, "embedding2")).toBe(NEW.dimensions * 4);
  }
});
