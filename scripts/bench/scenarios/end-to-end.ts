// From the first enqueue to the last settle, with a provider as slow as real ones: how much of what the
// provider allows is used.

import { MockProvider, makeItems } from "../items.ts";
import { Countdown, RATE, type Scenario } from "../scenario.ts";

const BATCH = 100;
/** For queues that make a call for each text. */
const FEW = 400;

export const endToEnd: Scenario = {
  name: "end-to-end",
  title: "End to end, provider of 40 ms and 0.1 ms a text",
  metrics: {
    rate: RATE,
    fill: { title: "how full calls are", unit: "", better: "higher", digits: 3 },
  },
  warmItems: 800,
  cases: [
    {
      name: "4-calls",
      title: "4 calls in flight, at most 100 texts each",
      batchSize: BATCH,
      concurrency: 4,
      provider: { callMs: 40, itemMs: 0.1 },
      items: {
        ...{ embedq: 40_000, bare: 40_000, "bullmq-dataloader": 20_000, replaced: 20_000 },
        ...{ bullmq: FEW, "bee-queue": FEW, groupmq: FEW },
      },
    },
  ],
  async run({ count, setup, form, produce, work, check }) {
    const items = makeItems(count);
    const provider = new MockProvider(setup.vectors, form.provider ?? { callMs: 0, itemMs: 0 });
    const end = new Countdown(count);
    const producer = await produce();
    const worker = await work(provider.embed, end.count);
    const begin = performance.now();
    const [enqueued] = await Promise.allSettled([producer.enqueueMany(items), end.reached]);
    if (enqueued.status === "rejected") throw enqueued.reason;
    await worker.close();
    await producer.close();
    await check(items);
    return {
      rate: (count / (end.at - begin)) * 1000,
      fill: provider.items / (provider.calls * BATCH),
    };
  },
};
