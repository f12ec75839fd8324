// What a drain tells about itself.

import { expect, test } from "bun:test";
import { FakeEmbedder, throwing } from "../helpers/embedder.ts";
import { heard, items, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";

test("batch:drained tells status, duration, size, calls and errors of each claimed batch", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const worker = await scope.worker({ embedder });
  const drained = heard(worker, "batch:drained");
  const producer = await scope.queue();
  await producer.enqueueMany(items(4));
  await producer.flushAndWait();
  await until(() => drained.length === 1, { what: "the first batch" });
  expect(drained[0]).toEqual({
    status: "ok",
    worker: expect.stringMatching(/^worker-/),
    durationMs: expect.any(Number),
    batchSize: 4,
    reason: "flush",
    calls: 1,
    batchFill: 4 / 50,
    // "doc text 0" to "doc text 3": three tokens each by the estimate.
    tokens: 12,
    cacheHits: 0,
    errorCount: 0,
    error: undefined,
  });
  expect(drained[0]?.durationMs).toBeGreaterThan(0);

  const broken = new Error("broken");
  embedder.next(throwing(broken));
  await producer.enqueueMany(items(3, "more"));
  await producer.flushAndWait();
  await until(() => drained.reduce((sum, { batchSize }) => sum + batchSize, 0) >= 10, {
    what: "the failed batch and its retries",
  });
  expect(drained[1]).toMatchObject({
    status: "error",
    batchSize: 3,
    calls: 1,
    errorCount: 3,
    error: broken,
  });
  expect(drained.slice(2).every(({ status }) => status === "ok")).toBe(true);
});

test("batch:drained tells how full the calls were on average, and nothing where there were none", async () => {
  await using scope = await testScope();
  const producer = await scope.queue();
  // While there is no model nobody knows its dimensions: the blank text is left to the worker.
  await producer.enqueue("blank", "");
  const embedder = new FakeEmbedder({ limits: { maxItems: 4 } });
  const worker = scope.newWorker({ embedder, maxBatchSize: 10 });
  const drained = heard(worker, "batch:drained");
  await worker.start();
  await until(() => drained.length === 1, { what: "the blank text" });
  expect(drained).toMatchObject([{ calls: 0, batchFill: undefined }]);

  await producer.enqueueMany(items(6));
  await producer.flushAndWait();
  const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
  await until(() => sumOf(drained.map(({ calls }) => calls)) === 2, { what: "both calls" });
  // One of four texts, one of two.
  const fills = drained.map(({ calls, batchFill = 0 }) => calls * batchFill);
  expect(sumOf(fills)).toBeCloseTo(1.5);
});

test("worker:started and worker:stopped frame a worker's life", async () => {
  await using scope = await testScope();
  const worker = scope.newWorker({ embedder: new FakeEmbedder() });
  const words: string[] = [];
  worker.on("worker:started", ({ worker: name }) => words.push(`started ${name}`));
  worker.on("worker:stopped", ({ worker: name }) => words.push(`stopped ${name}`));
  await worker.start();
  await worker.stop();
  const name = words[0]?.split(" ")[1] ?? "";
  expect(words).toEqual([`started ${name}`, `stopped ${name}`]);
});

test("a listener that throws harms nothing and is reported", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  const failed = heard(queue, "listener:failed");
  queue.on("batch:drained", () => {
    throw new Error("in a listener");
  });
  const drained = heard(queue, "batch:drained");
  await queue.enqueue("doc:1", "text");
  await queue.flushAndWait();
  await until(() => drained.length === 1, { what: "batch:drained" });
  expect(failed).toMatchObject([{ event: "batch:drained", error: { message: "in a listener" } }]);
  await scope.untilEmpty();
});

test("a listener can be taken away again", async () => {
  await using scope = await testScope();
  const queue = await scope.queue({ embedder: new FakeEmbedder() });
  let count = 0;
  const off = queue.on("batch:drained", () => count++);
  const drained = heard(queue, "batch:drained");
  off();
  off();
  await queue.enqueue("doc:1", "text");
  await queue.flushAndWait();
  await until(() => drained.length === 1, { what: "batch:drained" });
  expect(count).toBe(0);
});

test("no event carries a text", async () => {
  await using scope = await testScope();
  const secret = "never to be seen in an event";
  const embedder = new FakeEmbedder().next(throwing(new Error("one"))).next(() => [[1]]);
  const queue = await scope.queue({ embedder });
  const seen: unknown[] = [];
  for (const name of ["batch:drained", "text:retried", "text:dead", "text:deferred"] as const) {
    queue.on(name, (payload) => seen.push(payload));
  }
  await queue.enqueue("doc:1", secret);
  await queue.flushAndWait();
  await until(() => seen.length >= 4, { what: "the events" });
  const written = JSON.stringify(seen, (_, value: unknown) =>
    value instanceof Error ? value.message : value,
  );
  expect(written).toContain("doc:1");
  expect(written).not.toContain(secret);
});
