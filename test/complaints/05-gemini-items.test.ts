// Complaint 5: Gemini counts each text of a batch as a request, so that a limit of calls is none.

import { expect, test } from "bun:test";
import { join } from "node:path";
import { type Arrival, peakOf } from "../budget/meter.ts";
import { items, testScope } from "../helpers/scope.ts";
import { startGemini } from "../providers/servers/gemini.ts";
import { callSizes, expectOwnGeminiVectors, GEMINI_SIZE, wireGemini } from "../providers/wire.ts";
import { startHelper } from "../runtimes/process.ts";

const SCRIPT = join(import.meta.dir, "gemini-worker.mjs");
const WINDOW_MS = 1000;
const MOST = 100;

test("complaint 5: two processes together never send more texts in a window than requests are allowed", async () => {
  await using scope = await testScope();
  await using server = await startGemini();
  const arrivals: Arrival[] = [];
  server.always((right) => {
    const requests = callSizes(server).at(-1) ?? 0;
    arrivals.push({ atMs: performance.now(), requests, tokens: 0 });
    return right;
  });
  const producer = await scope.queue({
    model: "gemini-embedding-001",
    dimensions: GEMINI_SIZE,
    task: "RETRIEVAL_DOCUMENT",
    maxBatchSize: 20,
  });
  await using stack = new AsyncDisposableStack();
  // Nothing but this: that texts count is known of Gemini.
  const budget = JSON.stringify({ requestsPerMinute: MOST, windowMs: WINDOW_MS });
  const workers = ["one", "two"].map((name) =>
    stack.use(startHelper("bun", SCRIPT, [scope.url, scope.name, server.url, budget, name])),
  );
  await Promise.all(workers.map((worker) => worker.hear("ready", { timeoutMs: 30_000 })));
  await producer.enqueueMany(items(300));
  expect((await producer.flushAndWait({ timeoutMs: 20_000 })).done).toBe(true);
  await Promise.all(workers.map((worker) => worker.stop()));
  expect(arrivals.reduce((sum, { requests }) => sum + requests, 0)).toBe(300);
  expect(peakOf(arrivals, WINDOW_MS, "requests")).toBeLessThanOrEqual(MOST);
  const callers = server.received.map(({ headers }) => headers["x-worker"]);
  expect(new Set(callers)).toEqual(new Set(["one", "two"]));
  await expectOwnGeminiVectors(scope, items(300));
  expect(server.violations).toEqual([]);
}, 60_000);

test("complaint 5: no call has more texts than the whole budget", async () => {
  await using scope = await testScope();
  await using server = await startGemini();
  const queue = await scope.queue({
    embedder: wireGemini(server),
    budget: { requestsPerMinute: 10, windowMs: 100 },
  });
  await queue.enqueueMany(items(50));
  expect((await queue.flushAndWait({ timeoutMs: 20_000 })).done).toBe(true);
  expect(callSizes(server)).toEqual(Array(5).fill(10));
});
