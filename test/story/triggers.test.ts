// When a batch runs: by size, by time, on a flush.

import { expect, test } from "bun:test";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { heard, items, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";

const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);

test("57 single enqueues make one batch of 50, and 7 wait", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  for (const { key, text } of items(57)) await queue.enqueue(key, text);
  await until(async () => (await queue.pendingCount()) === 7, { what: "one batch to be settled" });
  expect(embedder.batchSizes).toEqual([50]);
  expect(embedder.texts).toEqual(items(50).map(({ text }) => text));
  expect(await queue.stats()).toMatchObject({ waiting: 7, inFlight: 0, parked: 0 });
});

test("enqueueMany(120) makes batches of 50, 50 and 20", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  await queue.enqueueMany(items(120));
  await scope.untilEmpty();
  expect(embedder.batchSizes.toSorted((a, b) => b - a)).toEqual([50, 50, 20]);
});

test("49 texts do not start a drain, the 50th does", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  await queue.enqueueMany(items(49));
  // The doorbell that the 50th rings would also show a drain that had begun too early.
  await queue.enqueue("last", "the fiftieth");
  await scope.untilEmpty();
  expect(embedder.batchSizes).toEqual([50]);
});

test("600 texts in one call are sent in full batches, with no partial one in the middle", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  const tickets = await queue.enqueueMany(items(600));
  expect(new Set(tickets.map(({ version }) => version)).size).toBe(600);
  await scope.untilEmpty();
  expect(embedder.batchSizes).toEqual(Array.from({ length: 12 }, () => 50));
});

test("620 texts in one call over several workers: only the last batch is partial", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const producer = await scope.queue({ model: "fake-1", dimensions: 4 });
  for (let n = 0; n < 3; n++) await scope.worker({ embedder });
  await producer.enqueueMany(items(620));
  await scope.untilEmpty();
  expect(sum(embedder.batchSizes)).toBe(620);
  expect(embedder.batchSizes.toSorted((a, b) => b - a)).toEqual([
    ...Array.from({ length: 12 }, () => 50),
    20,
  ]);
});

test("a text that has waited for the flush interval is drained although the batch is not full", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder, flushIntervalMs: 150 });
  const early = await queue.enqueueMany(items(3));
  await Promise.all(early.map((ticket) => ticket.embedding({ timeoutMs: 5000 })));
  await scope.untilEmpty();
  expect(embedder.texts).toEqual(items(3).map(({ text }) => text));
  // And again: the timer is armed anew by the next text.
  const late = await queue.enqueue("late", "one more");
  expect(await late.embedding({ timeoutMs: 5000 })).toEqual(embedder.vectorOf("one more"));
  await scope.untilEmpty();
});

test("the timer runs for workers in other processes, whoever enqueued", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  await scope.worker({ embedder, flushIntervalMs: 150 });
  await scope.worker({ embedder });
  const producer = await scope.queue();
  const ticket = await producer.enqueue("doc:1", "by time");
  expect(await ticket.embedding({ timeoutMs: 5000 })).toEqual(embedder.vectorOf("by time"));
  await scope.untilEmpty();
});

test("flushNow in one queue object drains what others enqueued, in workers elsewhere", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const worker = await scope.worker({ embedder });
  const drained = heard(worker, "batch:drained");
  const [producer, flusher] = [await scope.queue(), await scope.queue()];
  const ticket = await producer.enqueue("doc:1", "flushed");
  expect(await flusher.pendingCount()).toBe(1);
  await flusher.flushNow();
  expect(await ticket.embedding({ timeoutMs: 5000 })).toEqual(embedder.vectorOf("flushed"));
  await scope.untilEmpty();
  await until(() => drained.length === 1, { what: "batch:drained" });
});

test("what arrives after a flush waits for its own trigger", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.hold();
  const queue = await scope.queue({ embedder });
  await queue.enqueue("doc:1", "flushed");
  await queue.flushNow();
  await until(() => embedder.active === 1, { what: "the flushed text to be in flight" });
  await queue.enqueue("doc:2", "later");
  embedder.release();
  await until(async () => (await queue.pendingCount()) === 1, {
    what: "the flushed text to settle",
  });
  expect(embedder.calls).toEqual([["flushed"]]);
  expect(await queue.stats()).toMatchObject({ waiting: 1, inFlight: 0 });
});
