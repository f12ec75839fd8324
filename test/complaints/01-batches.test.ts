// Complaint 1: free queues hand out jobs one by one; batches are for those who pay.

import { expect, test } from "bun:test";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { items, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";

test("complaint 1: texts enqueued one by one go out in full batches, and the rest by the timer", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder, maxBatchSize: 20, flushIntervalMs: 300 });
  const tickets = await Promise.all(items(50).map(({ key, text }) => queue.enqueue(key, text)));
  await until(() => embedder.calls.length >= 2, { what: "the full batches" });
  expect(embedder.batchSizes.slice(0, 2)).toEqual([20, 20]);
  for (const ticket of tickets) expect((await ticket.outcome()).status).toBe("embedded");
  expect(embedder.batchSizes).toEqual([20, 20, 10]);
});

test("complaint 1: a batch is as large as tokens and bytes allow, whichever is met first", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder({ limits: { maxItems: 50, maxBytes: 100 } });
  const queue = await scope.queue({ embedder, concurrency: 1 });
  // 50 texts of 20 bytes: five a call.
  await queue.enqueueMany(items(50).map(({ key, text }) => ({ key, text: text.padEnd(20, ".") })));
  await scope.untilEmpty();
  expect(embedder.batchSizes).toEqual(Array(10).fill(5));
});
