// What does not fill a call waits a moment for the next claim, and never longer.

import { expect, test } from "bun:test";
import { EmbedderError } from "../../src/index.ts";
import { FakeEmbedder, throwing } from "../helpers/embedder.ts";
import { items, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";

test("batches larger than a call go out in full calls all the same", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder({ limits: { maxItems: 64 } });
  const producer = await scope.queue({ model: "fake-1", dimensions: 4, maxBatchSize: 100 });
  await producer.enqueueMany(items(1000));
  await scope.worker({ embedder, concurrency: 2 });
  await scope.untilEmpty();
  // 15 full calls and the last 40.
  expect(embedder.batchSizes.toSorted((a, b) => a - b)).toEqual([40, ...Array(15).fill(64)]);
});

test("a stop hands back what is held back, at once and without an attempt", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder({ limits: { maxItems: 40 } });
  embedder.hold();
  const worker = await scope.worker({ embedder, maxBatchSize: 100, concurrency: 3 });
  const producer = await scope.queue({ model: "fake-1", dimensions: 4 });
  await producer.enqueueMany(items(100));
  await until(() => embedder.active === 3, { what: "all calls, as a place was free" });
  await producer.enqueueMany(items(100, "more"));
  const stopping = worker.stop();
  embedder.release();
  await stopping;
  const { waiting, parked } = await producer.stats();
  expect(waiting + parked).toBe(100);
  await scope.worker({ embedder });
  await scope.untilEmpty();
  expect(embedder.texts).toHaveLength(200);
});

test("an outage sends back what is held back with the others", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder({ limits: { maxItems: 64 } });
  embedder.next(throwing(new EmbedderError("unavailable", "down")));
  const producer = await scope.queue({ model: "fake-1", dimensions: 4, maxBatchSize: 100 });
  const tickets = await producer.enqueueMany(items(300));
  await scope.worker({ embedder, concurrency: 1 });
  const outcomes = await Promise.all(tickets.map((ticket) => ticket.outcome()));
  expect(outcomes.every(({ status }) => status === "embedded")).toBe(true);
  expect((await producer.stats()).dead).toBe(0);
  await scope.untilEmpty();
});
