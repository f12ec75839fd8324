// A provider that counts far more tokens than the estimate: its reports teach what to reserve.

import { expect, test } from "bun:test";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { items, type Scope, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";
import { type Arrival, peakOf, useOf } from "./meter.ts";

const WINDOW_MS = 1000;
const LIMIT = 1000;
/** By the estimate; each call carries one text. */
const TEXT_TOKENS = 25;

/** Calls of a worker that may have 8 under way, through five windows. */
async function callsOf(scope: Scope, reported: number): Promise<readonly Arrival[]> {
  const fake = new FakeEmbedder();
  const arrivals: Arrival[] = [];
  const queue = await scope.queue({
    embedder: {
      model: "fake-1",
      dimensions: 4,
      limits: { maxItems: 1 },
      embed: async (texts, context) => {
        arrivals.push({ atMs: performance.now(), requests: 1, tokens: reported });
        return { results: await fake.embed(texts, context), usage: { tokens: reported } };
      },
    },
    budget: { tokensPerMinute: LIMIT, windowMs: WINDOW_MS },
    concurrency: 8,
  });
  const texts = items(60).map(({ key, text }) => ({
    key,
    text: text.padEnd(4 * TEXT_TOKENS, "."),
  }));
  await queue.enqueueMany(texts);
  await queue.flushNow();
  const spanMs = () => (arrivals.at(-1)?.atMs ?? 0) - (arrivals[0]?.atMs ?? 0);
  await until(() => spanMs() > 5 * WINDOW_MS, { what: "five windows of calls", timeoutMs: 15_000 });
  return arrivals;
}

/** Without the first window, in which nothing is known yet. */
function later(arrivals: readonly Arrival[]): readonly Arrival[] {
  const from = (arrivals[0]?.atMs ?? 0) + WINDOW_MS;
  return arrivals.filter(({ atMs }) => atMs >= from);
}

test("reports of eight times the estimate exceed the budget in the first window at most", async () => {
  await using scope = await testScope();
  const arrivals = await callsOf(scope, 8 * TEXT_TOKENS);
  expect(peakOf(later(arrivals), WINDOW_MS, "tokens")).toBeLessThanOrEqual(LIMIT);
  expect(useOf(arrivals, WINDOW_MS, "tokens", LIMIT)).toBeGreaterThanOrEqual(0.8);
});

test("calls that come to more than the whole budget go one a window", async () => {
  await using scope = await testScope();
  const arrivals = await callsOf(scope, 5 * LIMIT);
  expect(peakOf(later(arrivals), WINDOW_MS, "requests")).toBe(1);
});
