// Backlogs of 10 thousand, 100 thousand and a million texts: whether the rate falls and memory grows.

import { MockProvider, makeItems } from "../items.ts";
import { watchMemory } from "../memory.ts";
import { Countdown, RATE, type Scenario } from "../scenario.ts";

/** Items in memory at a time while all are checked. */
const CHECK_ITEMS = 10_000;

export const backlog: Scenario = {
  name: "backlog",
  title: "Drain by backlog",
  metrics: {
    rate: RATE,
    peak: { title: "largest memory of the worker", unit: " MB", better: "lower", digits: 0 },
  },
  warmItems: 2000,
  cases: [
    { name: "10k", title: "10,000 texts", items: { embedq: 10_000, raw: 10_000, bullmq: 10_000 } },
    {
      name: "100k",
      title: "100,000 texts",
      items: { embedq: 100_000, raw: 100_000, bullmq: 100_000 },
    },
    { name: "1m", title: "1,000,000 texts", items: { embedq: 1_000_000, raw: 1_000_000 } },
  ],
  async run({ count, setup, work, help, check }) {
    // Another process enqueues, so that all memory here is the worker's.
    const producer = await help({ role: "produce", count });
    await producer.close();
    const provider = new MockProvider(setup.vectors, { callMs: 0, itemMs: 0 });
    const end = new Countdown(count);
    const memory = watchMemory();
    const begin = performance.now();
    const worker = await work(provider.embed, end.count);
    await end.reached;
    const peak = memory.stop();
    await worker.close();
    for (let first = 0; first < count; first += CHECK_ITEMS) {
      await check(makeItems(Math.min(CHECK_ITEMS, count - first), first));
    }
    return { rate: (count / (end.at - begin)) * 1000, peak: peak / 2 ** 20 };
  },
};
