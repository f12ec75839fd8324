// Working off a backlog with a provider that answers at once: what the queue itself costs.

import { MockProvider, makeItems } from "../items.ts";
import { type Case, Countdown, RATE, type Scenario } from "../scenario.ts";

const ITEMS: Case["items"] = {
  ...{ embedq: 50_000, raw: 50_000, bullmq: 20_000, "bullmq-dataloader": 20_000 },
  ...{ "bee-queue": 20_000, groupmq: 10_000, replaced: 20_000 },
};

export const drain: Scenario = {
  name: "drain",
  title: "Drain, provider at once",
  metrics: { rate: RATE },
  warmItems: 10_000,
  cases: [
    { name: "768", title: "768 dimensions", items: ITEMS },
    { name: "1536", title: "1,536 dimensions", items: ITEMS, dimensions: 1536 },
  ],
  async run({ count, setup, produce, work, check }) {
    const items = makeItems(count);
    const producer = await produce();
    await producer.enqueueMany(items);
    await producer.close();
    const provider = new MockProvider(setup.vectors, { callMs: 0, itemMs: 0 });
    const end = new Countdown(count);
    const begin = performance.now();
    const worker = await work(provider.embed, end.count);
    await end.reached;
    await worker.close();
    await check(items);
    return { rate: (count / (end.at - begin)) * 1000 };
  },
};
