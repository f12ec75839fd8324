// Handing texts over: many in one go, and one after the other.

import { makeItems } from "../items.ts";
import { RATE, type Scenario } from "../scenario.ts";

const PEERS = { bullmq: 30_000, "bee-queue": 30_000, groupmq: 20_000, replaced: 10_000 };
const OURS = { embedq: 100_000, "embedq-unchecked": 100_000, raw: 100_000 };

export const enqueueBulk: Scenario = {
  name: "enqueue-bulk",
  title: "Enqueue many texts",
  metrics: { rate: RATE },
  warmItems: 20_000,
  cases: [{ name: "bulk", title: "enqueueMany", items: { ...OURS, ...PEERS } }],
  async run({ count, produce, checkOutstanding }) {
    const items = makeItems(count);
    const producer = await produce();
    const begin = performance.now();
    await producer.enqueueMany(items);
    const ms = performance.now() - begin;
    await producer.close();
    await checkOutstanding(count);
    return { rate: (count / ms) * 1000 };
  },
};

export const enqueueSingle: Scenario = {
  name: "enqueue-single",
  title: "Enqueue one text after the other",
  metrics: { rate: RATE },
  warmItems: 2000,
  cases: [
    {
      name: "single",
      title: "enqueue, each awaited before the next",
      items: {
        ...{ embedq: 5000, "embedq-unchecked": 5000, raw: 5000, bullmq: 5000 },
        ...{ "bee-queue": 5000, groupmq: 5000, replaced: 5000 },
      },
    },
  ],
  async run({ count, produce, checkOutstanding }) {
    const items = makeItems(count);
    const producer = await produce();
    const begin = performance.now();
    for (const item of items) await producer.enqueue(item);
    const ms = performance.now() - begin;
    await producer.close();
    await checkOutstanding(count);
    return { rate: (count / ms) * 1000 };
  },
};
