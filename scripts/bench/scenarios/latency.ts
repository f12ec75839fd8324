// From the call of enqueue to the end of the wait, the worker in a process of its own.

import { makeItems } from "../items.ts";
import type { Scenario } from "../scenario.ts";
import { quantile } from "../statistics.ts";

export const latency: Scenario = {
  name: "latency",
  title: "From enqueue to the end of the wait",
  metrics: {
    p50: { title: "median", unit: " ms", better: "lower", digits: 2 },
    p99: { title: "99th percentile", unit: " ms", better: "lower", digits: 2 },
  },
  warmItems: 500,
  cases: [
    {
      name: "alone",
      title: "one text at a time, a batch of one",
      batchSize: 1,
      degree: 1,
      items: { embedq: 2000, raw: 2000, bullmq: 2000, "bee-queue": 2000, replaced: 1000 },
    },
    {
      name: "load",
      title: "32 callers at once, a batch of one",
      batchSize: 1,
      degree: 32,
      concurrency: 32,
      items: { embedq: 10_000, raw: 10_000, bullmq: 10_000, "bee-queue": 10_000, replaced: 4000 },
    },
  ],
  async run({ count, form, contenderName, produce, help, check }) {
    const items = makeItems(count);
    const producer = await produce();
    const { enqueueAndWait } = producer;
    if (enqueueAndWait === undefined) throw new Error(`${contenderName} has no waits`);
    const worker = await help({ role: "work" });
    // The worker's process is new: its first texts are not those that count.
    for (const item of makeItems(Math.min(count, 500), count)) await enqueueAndWait(item);
    const times: number[] = [];
    const waiting = items.values();
    const caller = async () => {
      for (const item of waiting) {
        const begin = performance.now();
        await enqueueAndWait(item);
        times.push(performance.now() - begin);
      }
    };
    await Promise.all(Array.from({ length: form.degree ?? 1 }, caller));
    await worker.close();
    await producer.close();
    await check(items);
    return { p50: quantile(times, 0.5), p99: quantile(times, 0.99) };
  },
};
