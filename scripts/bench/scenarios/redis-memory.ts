// What a text that waits takes of Redis' memory.

import { makeItems } from "../items.ts";
import type { Scenario } from "../scenario.ts";

export const redisMemory: Scenario = {
  name: "redis-memory",
  title: "Memory of Redis for each waiting text",
  metrics: {
    bytes: { title: "memory of Redis", unit: " bytes", better: "lower", digits: 0 },
  },
  warmItems: 100,
  cases: [
    {
      name: "waiting",
      title: "200 characters, keys of 10 bytes",
      items: {
        ...{ embedq: 100_000, raw: 100_000, bullmq: 50_000, "bee-queue": 50_000 },
        ...{ groupmq: 20_000, replaced: 20_000 },
      },
    },
  ],
  async run({ count, redis, produce, checkOutstanding }) {
    const items = makeItems(count);
    const before = await redis.info("memory", "used_memory");
    const producer = await produce();
    await producer.enqueueMany(items);
    await producer.close();
    const after = await redis.info("memory", "used_memory");
    await checkOutstanding(count);
    return { bytes: (after - before) / count };
  },
};
