// Complaint 15: nobody can tell what the queue costs, how full its calls are, or why they went out.

import { expect, test } from "bun:test";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { heard, items, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";

test("complaint 15: calls, texts, tokens, fill and reasons are in the stats, for the queue and for each worker", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const worker = await scope.worker({
    embedder: {
      model: "fake-1",
      dimensions: 4,
      embed: async (texts, context) => ({
        results: await embedder.embed(texts, context),
        usage: { tokens: 7 * texts.length },
      }),
    },
  });
  const drained = heard(worker, "batch:drained");
  const producer = await scope.queue({ model: "fake-1", dimensions: 4 });
  await producer.enqueueMany(items(100));
  await scope.untilEmpty();
  await producer.enqueueMany(items(25, "more"));
  await producer.flushNow();
  await scope.untilEmpty();
  await until(async () => (await producer.stats()).usage.texts === 125, { what: "the counts" });
  const { usage, workers, oldestWaitingMs } = await producer.stats();
  expect(usage).toMatchObject({
    calls: 3,
    texts: 125,
    tokens: 875,
    tokensEstimated: 0,
    deferrals: 0,
    failures: 0,
    dead: 0,
    claims: { size: 2, flush: 1, timer: 0, retry: 0 },
  });
  expect(usage.batchFill).toBeCloseTo((1 + 1 + 0.5) / 3, 2);
  expect(workers.map((one) => one.usage.texts)).toEqual([125]);
  expect(oldestWaitingMs).toBeUndefined();
  expect(drained.map(({ reason, tokens }) => [reason, tokens])).toEqual([
    ["size", 350],
    ["size", 350],
    ["flush", 175],
  ]);
});
