// Six worker processes share one rate budget: together they never exceed it, and they use it.

import { expect, test } from "bun:test";
import { join } from "node:path";
import { items, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";
import { startHelper } from "../runtimes/process.ts";
import { peakOf, startMeter, useOf } from "./meter.ts";

const SCRIPT = join(import.meta.dir, "worker.mjs");
const WINDOW_MS = 3000;
const LIMITS = { requestsPerMinute: 600, tokensPerMinute: 100_000 };

const loads: [string, "tokens" | "requests", number, number][] = [
  // 50 texts of 10 tokens a call: 200 calls would use up the tokens.
  ["tokens", "tokens", 40, 50],
  // One text of 10 tokens a call: 600 calls use 6,000 tokens.
  ["requests", "requests", 40, 1],
];

test.each(loads)(
  "six processes under 600 requests and 100,000 tokens a window never exceed either, and use what binds: %s",
  async (_, binding, length, maxBatchSize) => {
    await using scope = await testScope();
    await using meter = await startMeter();
    const budget = JSON.stringify({ account: "shared", ...LIMITS, windowMs: WINDOW_MS });
    const producer = await scope.queue({ model: "fake-1", dimensions: 4, maxBatchSize });
    await using stack = new AsyncDisposableStack();
    const workers = Array.from({ length: 6 }, () =>
      stack.use(startHelper("bun", SCRIPT, [scope.url, scope.name, meter.url, budget])),
    );
    await Promise.all(workers.map((worker) => worker.hear("ready", { timeoutMs: 30_000 })));
    // Enough for the first window and four more.
    const perWindow = binding === "tokens" ? LIMITS.tokensPerMinute / (length / 4) : 600;
    const count = Math.ceil(5.5 * perWindow);
    await producer.enqueueMany(
      items(count).map(({ key, text }) => ({ key, text: text.padEnd(length, ".") })),
    );
    await producer.flushNow();
    const lastAt = () => (meter.arrivals.at(-1)?.atMs ?? 0) - (meter.arrivals[0]?.atMs ?? 0);
    await until(() => lastAt() > 5 * WINDOW_MS, {
      what: "five windows of calls",
      timeoutMs: 60_000,
      everyMs: 50,
    });
    // None of them waits for its budget first.
    await Promise.all(workers.map((worker) => worker.stop()));

    const { arrivals } = meter;
    const requests = peakOf(arrivals, WINDOW_MS, "requests");
    const tokens = peakOf(arrivals, WINDOW_MS, "tokens");
    const limit = binding === "tokens" ? LIMITS.tokensPerMinute : LIMITS.requestsPerMinute;
    const used = useOf(arrivals, WINDOW_MS, binding, limit);
    expect(requests).toBeLessThanOrEqual(LIMITS.requestsPerMinute);
    expect(tokens).toBeLessThanOrEqual(LIMITS.tokensPerMinute);
    expect(used).toBeGreaterThanOrEqual(0.9);
  },
  120_000,
);
