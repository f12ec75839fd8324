// A worker whose rate budget is used up: it keeps its texts, and lets go of them at a stop.

import { expect, test } from "bun:test";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { heard, items, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";

test("waiting for budget keeps the leases, spends no attempt, and ends at once at a stop", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const budget = { requestsPerMinute: 1, windowMs: 600_000 };
  const worker = await scope.worker({ embedder, budget, leaseMs: 200, stopTimeoutMs: 60_000 });
  const exhausted = heard(worker, "budget:exhausted");
  const lost = heard(worker, "lease:lost");
  const stopped = heard(worker, "worker:stopped");
  const producer = await scope.queue({ model: "fake-1", dimensions: 4 });
  await producer.enqueueMany(items(100));
  await until(() => exhausted.length === 1 && embedder.calls.length === 1, {
    what: "one call, and one that waits",
  });
  const from = (await scope.client.time()).getTime();
  await until(async () => (await scope.client.time()).getTime() - from > 600, {
    what: "three leases to pass",
  });
  expect(lost).toEqual([]);
  expect((await producer.stats()).inFlight).toBe(50);
  await worker.stop();
  expect(stopped).toMatchObject([{ handedBack: 50 }]);
  expect(await scope.client.hLen(scope.keys.retries)).toBe(0);
  await scope.worker({ embedder });
  await scope.untilEmpty();
  expect(embedder.texts).toHaveLength(100);
});

test("the tokens that the provider reports are what counts", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const budget = { tokensPerMinute: 1000, windowMs: 600_000 };
  const queue = await scope.queue({
    embedder: {
      model: "fake-1",
      dimensions: 4,
      // A tenth of a token a text, where the estimate is 2 or 3.
      embed: async (texts, context) => ({
        results: await embedder.embed(texts, context),
        usage: { tokens: texts.length / 10 },
      }),
    },
    budget,
    concurrency: 1,
  });
  const exhausted = heard(queue, "budget:exhausted");
  await queue.enqueueMany(items(5000));
  await scope.untilEmpty();
  expect(exhausted).toEqual([]);
});

test("where Redis is out of memory no call is made, the worker says so, and a stop gives the texts back", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const budget = { requestsPerMinute: 10 };
  const worker = await scope.worker({
    embedder,
    budget,
    flushIntervalMs: 300,
    stopTimeoutMs: 60_000,
  });
  const producer = await scope.queue({ model: "fake-1", dimensions: 4 });
  await producer.enqueueMany(items(20));
  await scope.client.configSet("maxmemory", "1");
  const failed = heard(worker, "worker:failed");
  const refusals = () => failed.filter(({ action }) => action === "reserve");
  await until(() => refusals().length >= 3, { what: "three refusals" });
  expect(refusals()[0]?.error.message).toContain("reserveBudget script as Redis refused it: OOM");
  const stopped = heard(worker, "worker:stopped");
  await worker.stop();
  expect(stopped).toMatchObject([{ handedBack: 20 }]);
  expect(embedder.calls).toEqual([]);
  await scope.client.configSet("maxmemory", "0");
  await scope.worker({ embedder, budget });
  await scope.untilEmpty();
  expect(embedder.texts).toHaveLength(20);
  expect(await scope.client.hLen(scope.keys.retries)).toBe(0);
});

test.each(["reject", "truncate"] as const)(
  "a text that is larger than the whole budget goes alone and whole, with onOversize %p",
  async (onOversize) => {
    await using scope = await testScope();
    const embedder = new FakeEmbedder({ limits: { maxInputTokens: 8192 } });
    const budget = { tokensPerMinute: 100, windowMs: 500 };
    const queue = await scope.queue({ embedder, budget, onOversize });
    const long = "word ".repeat(200);
    await queue.enqueueMany([...items(3), { key: "doc:long", text: long }]);
    await queue.flushAndWait();
    expect(await scope.vector("doc:long")).toEqual([...embedder.vectorOf(long)]);
    expect(embedder.calls).toContainEqual([long]);
    expect(await scope.dead()).toEqual([]);
  },
);
