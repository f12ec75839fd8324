// What goes to Redis for each text, from enqueue to settle: commands and bytes.

import { MockProvider, makeItems } from "../items.ts";
import { watchCommands } from "../monitor.ts";
import { Countdown, type Scenario } from "../scenario.ts";

const each = (title: string) => ({ title, unit: "", better: "lower", digits: 2 }) as const;

export const traffic: Scenario = {
  name: "traffic",
  title: "Commands and bytes for each text, enqueue to settle",
  metrics: {
    sent: each("commands that clients send"),
    executed: each("commands that Redis executes, those in scripts too"),
    received: { title: "bytes to Redis", unit: " bytes", better: "lower", digits: 0 },
    replied: { title: "bytes from Redis", unit: " bytes", better: "lower", digits: 0 },
  },
  warmItems: 100,
  cases: [
    {
      name: "768",
      title: "768 dimensions",
      items: {
        ...{ embedq: 2000, "embedq-unchecked": 2000, raw: 2000, bullmq: 2000 },
        ...{ "bullmq-dataloader": 2000, "bee-queue": 2000, groupmq: 2000, replaced: 2000 },
      },
    },
  ],
  async run({ count, setup, redis, produce, work, check }) {
    const bytes = async () => ({
      received: await redis.info("stats", "total_net_input_bytes"),
      replied: await redis.info("stats", "total_net_output_bytes"),
    });
    const round = async (first: number) => {
      const items = makeItems(count, first);
      const provider = new MockProvider(setup.vectors, { callMs: 0, itemMs: 0 });
      const end = new Countdown(count);
      const producer = await produce();
      await producer.enqueueMany(items);
      await producer.close();
      const worker = await work(provider.embed, end.count);
      await end.reached;
      await worker.close();
      return items;
    };
    const before = await bytes();
    const items = await round(0);
    const after = await bytes();
    await check(items);
    // A second round, as what the watcher hears counts as bytes too.
    const watcher = await watchCommands(setup.url);
    await redis.empty();
    await round(count);
    const { sent, executed } = await watcher.stop();
    return {
      sent: sent / count,
      executed: executed / count,
      received: (after.received - before.received) / count,
      replied: (after.replied - before.replied) / count,
    };
  },
};
