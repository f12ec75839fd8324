// One claim becomes as many provider calls as the provider's limits ask for, side by side.

import { expect, test } from "bun:test";
import { FakeEmbedder, HARMLESS } from "../helpers/embedder.ts";
import { heard, items, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";

test("a batch of 120 goes out in calls of 50, 50 and 20, all in flight at once", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder({ limits: { maxItems: 50 } });
  embedder.hold();
  const queue = await scope.queue({ embedder, maxBatchSize: 120 });
  const drained = heard(queue, "batch:drained");
  await queue.enqueueMany(items(120));
  await until(() => embedder.active === 3, { what: "three calls to be in flight" });
  expect(embedder.batchSizes).toEqual([50, 50, 20]);
  expect(embedder.texts).toEqual(items(120).map(({ text }) => text));
  embedder.release();
  await scope.untilEmpty();
  expect(embedder.peak).toBe(3);
  // The last 20 were held back a moment, for more to come, and went on their own.
  await until(() => drained.length === 2, { what: "the batches to be drained" });
  expect(drained.toSorted((a, b) => a.batchSize - b.batchSize)).toMatchObject([
    { status: "ok", batchSize: 20, calls: 1, errorCount: 0 },
    { status: "ok", batchSize: 100, calls: 2, errorCount: 0 },
  ]);
  for (const { key, text } of items(120)) {
    expect(await scope.vector(key)).toEqual([...embedder.vectorOf(text)]);
  }
});

test("never more calls at once than concurrency allows", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder({ limits: { maxItems: 10 } });
  const queue = await scope.queue({ embedder, concurrency: 3 });
  await queue.enqueueMany(items(300));
  await scope.untilEmpty();
  expect(embedder.peak).toBe(3);
  expect(embedder.texts.toSorted()).toEqual(
    items(300)
      .map(({ text }) => text)
      .toSorted(),
  );
});

test("never more calls at once than the provider takes", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder({ limits: { maxItems: 10, maxConcurrentCalls: 2 } });
  const queue = await scope.queue({ embedder });
  await queue.enqueueMany(items(300));
  await scope.untilEmpty();
  expect(embedder.peak).toBe(2);
});

test("a worker claims what it can start, and one batch more where plenty waits", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.hold();
  const queue = await scope.queue({ embedder, concurrency: 2 });
  await queue.enqueueMany(items(500));
  await until(async () => (await queue.stats()).inFlight === 150, { what: "three batches" });
  expect(embedder.active).toBe(2);
  embedder.release();
  await scope.untilEmpty();
  expect(embedder.peak).toBe(2);
});

test("a worker claims no batch ahead that an idle one could take", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.hold();
  const queue = await scope.queue({ embedder, concurrency: 2 });
  await queue.enqueueMany(items(149));
  await until(() => embedder.active === 2, { what: "two calls to be in flight" });
  expect(await queue.stats()).toMatchObject({ waiting: 49, inFlight: 100 });
  embedder.release();
  await scope.untilEmpty();
});

test("one failed call of a claim does not touch the other calls", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder({ limits: { maxItems: 10 } });
  embedder.next(() => {
    throw new Error("the first call breaks");
  });
  const queue = await scope.queue({ embedder, maxBatchSize: 30 });
  const retried = heard(queue, "text:retried");
  await queue.enqueueMany(items(30));
  expect((await queue.flushAndWait()).done).toBe(true);
  expect(retried.map(({ key }) => key).toSorted()).toEqual(
    items(10)
      .map(({ key }) => key)
      .toSorted(),
  );
  // Ten texts would be charged at once: whether it is the provider's fault is asked with a harmless text.
  expect(embedder.texts.filter((text) => text !== HARMLESS)).toHaveLength(40);
  await scope.expectEmpty();
});
