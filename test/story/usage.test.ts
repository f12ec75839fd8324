// What a queue has cost and saved, as its users see it in `stats()`, through real workers.

import { expect, test } from "bun:test";
import { EmbedderError, type EmbeddingQueue, type UsageStats } from "../../src/index.ts";
import { FakeEmbedder, throwing } from "../helpers/embedder.ts";
import { heard, items, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";

/** The counters are there with the worker's next claim, a moment after the work is settled. */
async function untilCounted(
  queue: EmbeddingQueue,
  what: string,
  isCounted: (usage: UsageStats) => boolean,
): Promise<UsageStats> {
  let { usage } = await queue.stats();
  const look = async () => {
    ({ usage } = await queue.stats());
    return isCounted(usage);
  };
  await until(look, { what });
  return usage;
}

test("stats count calls, texts, tokens and fill, of the queue and of each worker, by what was due", async () => {
  await using scope = await testScope();
  const producer = await scope.queue({ maxBatchSize: 10 });
  await scope.worker({ embedder: new FakeEmbedder({ limits: { maxItems: 10 } }) });
  await producer.enqueueMany(items(20));
  await scope.untilEmpty();
  await producer.enqueueMany(items(5, "rest"));
  await producer.flushAndWait();
  const usage = await untilCounted(producer, "25 texts", ({ texts }) => texts === 25);
  expect(usage).toMatchObject({ calls: 3, cacheHits: 0, skipHits: 0, failures: 0, dead: 0 });
  expect(usage.batchFill).toBeCloseTo(2.5 / 3, 2);
  expect(usage.claims).toMatchObject({ size: 2, flush: 1, timer: 0, retry: 0 });
  expect(usage.tokens).toBeGreaterThan(0);
  expect(usage.tokensEstimated).toBe(usage.tokens);
  const [worker] = (await producer.stats()).workers;
  expect(worker?.usage).toMatchObject({ calls: 3, texts: 25, claims: { size: 2, flush: 1 } });
});

test("what the provider reports of tokens is counted in the place of an estimate", async () => {
  await using scope = await testScope();
  const fake = new FakeEmbedder();
  const queue = await scope.queue({
    model: "fake-1",
    dimensions: 4,
    embedder: (texts) =>
      Promise.resolve({ results: fake.answer(texts), usage: { tokens: 7 * texts.length } }),
  });
  await queue.enqueueMany(items(3));
  await queue.flushAndWait();
  const usage = await untilCounted(queue, "3 texts", ({ texts }) => texts === 3);
  expect(usage).toMatchObject({ tokens: 21, tokensEstimated: 0 });
});

test.each([1e19, 1e308])("a report of %p tokens is no report", async (absurd) => {
  await using scope = await testScope();
  const fake = new FakeEmbedder();
  const reports = [absurd, absurd, 10];
  const queue = await scope.queue({
    model: "fake-1",
    dimensions: 4,
    embedder: (texts) =>
      Promise.resolve({ results: fake.answer(texts), usage: { tokens: reports.shift() } }),
  });
  const repaired = heard(queue, "data:repaired");
  for (const key of ["doc:1", "doc:2", "doc:3"]) {
    await queue.enqueue(key, `${key} is eight tokens, about`);
    await queue.flushAndWait();
  }
  const usage = await untilCounted(queue, "3 texts", ({ texts }) => texts >= 3);
  expect(usage).toMatchObject({ calls: 3, texts: 3, tokens: 24, tokensEstimated: 14 });
  expect(repaired).toEqual([]);
});

test("sums outlive a worker that stops, and hold what it counted last; its own line goes", async () => {
  await using scope = await testScope();
  const producer = await scope.queue();
  for (const round of ["one", "two"]) {
    const worker = await scope.worker({ embedder: new FakeEmbedder() });
    await producer.enqueueMany(items(4, round));
    await producer.flushAndWait();
    await worker.stop();
  }
  expect(await producer.stats()).toMatchObject({ usage: { calls: 2, texts: 8 }, workers: [] });
});

test("outages are deferrals, refused texts are dead, and neither is a text that came back", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  embedder.next(throwing(new EmbedderError("unavailable", "away")));
  await queue.enqueueMany(items(3));
  await queue.flushAndWait();
  embedder.next(throwing(new EmbedderError("rejected", "no")));
  await queue.enqueue("bad", "bad text");
  await queue.flushAndWait();
  const usage = await untilCounted(queue, "a dead text", ({ dead }) => dead === 1);
  expect(usage).toMatchObject({ texts: 3, deferrals: 3, failures: 0 });
  expect(usage.claims.retry).toBeGreaterThan(0);
});

test("what went wrong is counted apart: deferrals, failed attempts, texts given up", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.next(
    throwing(new EmbedderError("unavailable", "down")),
    throwing(new Error("odd")),
    throwing(new EmbedderError("rejected", "no")),
  );
  const queue = await scope.queue({ embedder, flushIntervalMs: 0 });
  const ticket = await queue.enqueue("doc:1", "text");
  expect((await ticket.outcome()).status).toBe("dead");
  await until(async () => (await queue.stats()).usage.dead === 1, { what: "the counts" });
  expect((await queue.stats()).usage).toMatchObject({
    calls: 3,
    texts: 0,
    tokens: 0,
    deferrals: 1,
    failures: 1,
    dead: 1,
  });
});

test("a text that was skipped as unchanged is counted as saved", async () => {
  await using scope = await testScope();
  const queue = await scope.queue({ embedder: new FakeEmbedder(), flushIntervalMs: 0 });
  await (await queue.enqueue("doc:1", "text")).embedding();
  await (await queue.enqueue("doc:1", "text")).embedding();
  await until(async () => (await queue.stats()).usage.calls === 1, { what: "the counts" });
  expect((await queue.stats()).usage).toMatchObject({ skipHits: 1, texts: 1 });
});
