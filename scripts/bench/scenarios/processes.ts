// Workers in 1, 2 and 4 processes with a slow provider: whether the rate grows with them.

import { makeItems } from "../items.ts";
import { Countdown, RATE, type Scenario } from "../scenario.ts";

const BATCH = 100;
/** Calls that each process makes in the time that counts. */
const CALLS = 60;
const WARM_CALLS = 4;

const form = (processes: number) => ({
  name: String(processes),
  title: `${processes} ${processes === 1 ? "process" : "processes"}`,
  batchSize: BATCH,
  concurrency: 1,
  provider: { callMs: 40, itemMs: 0.1 },
  degree: processes,
  items: {
    embedq: processes * CALLS * BATCH,
    "bullmq-dataloader": processes * CALLS * BATCH,
  },
});

export const processes: Scenario = {
  name: "processes",
  title: "Worker processes, provider of 40 ms, one call in flight each",
  metrics: { rate: RATE },
  warmItems: BATCH,
  cases: [form(1), form(2), form(4)],
  async run({ count, form: { degree = 1 }, produce, help, check }) {
    const producer = await produce();
    const workers = await Promise.all(Array.from({ length: degree }, () => help({ role: "work" })));
    const listen = (end: Countdown) => {
      for (const worker of workers) worker.onSettled = end.count;
    };
    const warm = makeItems(Math.min(count, degree * WARM_CALLS * BATCH), count);
    const warmEnd = new Countdown(warm.length);
    listen(warmEnd);
    await producer.enqueueMany(warm);
    await warmEnd.reached;

    const items = makeItems(count);
    const end = new Countdown(count);
    listen(end);
    const begin = performance.now();
    await producer.enqueueMany(items);
    await end.reached;
    for (const worker of workers) await worker.close();
    await producer.close();
    await check(items);
    return { rate: (count / (end.at - begin)) * 1000 };
  },
};
