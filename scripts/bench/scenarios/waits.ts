// Very many waits outstanding in one process: what each costs in memory, and how many connections they take.

import { makeItems } from "../items.ts";
import { settledMemory } from "../memory.ts";
import type { Redis } from "../redis.ts";
import type { Scenario } from "../scenario.ts";

const LOOK_MS = 100;
/** Looks in a row that must see nothing going on. */
const QUIET_LOOKS = 3;
/** Commands between two looks that come from timers and from the look itself. */
const IDLE_COMMANDS = 20;

export const waits: Scenario = {
  name: "waits",
  title: "Very many waits outstanding",
  metrics: {
    bytes: { title: "resident memory a wait", unit: " bytes", better: "lower", digits: 0 },
    connections: { title: "connections of all waits", unit: "", better: "lower", digits: 0 },
    rate: { title: "waits ended a second", unit: "/s", better: "higher", digits: 0 },
  },
  warmItems: 500,
  cases: [
    {
      name: "many",
      title: "100,000 waits (1,000 where each takes a connection)",
      items: { embedq: 100_000, bullmq: 100_000, "bee-queue": 100_000, replaced: 1000 },
    },
  ],
  async run({ count, contenderName, redis, produce, help, check }) {
    const items = makeItems(count);
    const clients = () => redis.info("clients", "connected_clients");
    const producer = await produce();
    const begin = await producer.prepareWaits?.(items);
    if (begin === undefined) throw new Error(`${contenderName} has no waits`);
    const connectionsBefore = await clients();
    const before = settledMemory();
    const waiting = begin();
    await untilQuiet(redis);
    const bytes = (settledMemory() - before) / count;
    // One subscriber that is there before the first wait is none of theirs, and is not counted.
    const connections = (await clients()) - connectionsBefore;
    const startedAt = performance.now();
    const worker = await help({ role: "work" });
    await Promise.all(waiting);
    const ms = performance.now() - startedAt;
    await worker.close();
    await producer.close();
    await check(items);
    return { bytes, connections, rate: (count / ms) * 1000 };
  },
};

async function untilQuiet(redis: Redis): Promise<void> {
  let last = 0;
  for (let quiet = 0; quiet < QUIET_LOOKS; ) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    const commands = await redis.info("stats", "total_commands_processed");
    quiet = commands - last < IDLE_COMMANDS ? quiet + 1 : 0;
    last = commands;
  }
}
