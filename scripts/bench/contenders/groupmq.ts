// groupmq, a group for each key, so that nothing waits for another's end. It has no waits.

import { type Contender, loadPeer, type Producer } from "../contender.ts";
import { bytesOf, type Item } from "../items.ts";
import { inChunks } from "../redis.ts";

const NAMESPACE = "bench";
/** Adds sent in one go. */
const CHUNK = 1000;
/** Jobs in work at once where a call costs nothing. */
const CONCURRENCY = 100;
/** The largest batch of adds, and how long one waits to be full. */
const AUTO_BATCH = { size: 100, maxWaitMs: 1 };

interface Connection {
  hset(key: string, field: string, value: unknown): Promise<unknown>;
  quit(): Promise<unknown>;
}
interface Queue {
  add(job: { groupId: string; data: Item }): Promise<unknown>;
  getJobCounts(): Promise<Record<string, number>>;
  close(): Promise<void>;
}
interface Worker {
  on(event: string, listener: (value: unknown) => void): void;
  run(): Promise<void>;
  close(): Promise<void>;
}
interface GroupMQ {
  readonly Queue: new (options: object) => Queue;
  readonly Worker: new (options: object) => Worker;
}
interface IORedis {
  readonly Redis: new (url: string, options: object) => Connection;
}

export const groupmq: Contender = {
  settings: `ioredis, autoBatch ${AUTO_BATCH.size} for bulk, orderingMethod none, concurrency ${CONCURRENCY} where calls are free`,
  stores: true,

  async produce({ url }) {
    const { Queue } = await loadPeer<GroupMQ>("groupmq");
    const redis = await connect(url);
    const bulk = new Queue({ redis, namespace: NAMESPACE, autoBatch: AUTO_BATCH });
    const single = new Queue({ redis, namespace: NAMESPACE });
    const add = (queue: Queue, data: Item) => queue.add({ groupId: data.key, data });
    return {
      enqueueMany: (items) =>
        inChunks(items, CHUNK, (chunk) => Promise.all(chunk.map((item) => add(bulk, item)))),
      async enqueue(item) {
        await add(single, item);
      },
      async outstanding() {
        const { waiting = 0, active = 0 } = await single.getJobCounts();
        return waiting + active;
      },
      async close() {
        await bulk.close();
        await single.close();
        await redis.quit().catch(() => {});
      },
    } satisfies Producer;
  },

  async work({ url, callsAreFree, concurrency, vectors }, provider, onSettled) {
    const { Queue, Worker } = await loadPeer<GroupMQ>("groupmq");
    const redis = await connect(url);
    const store = await connect(url);
    const queue = new Queue({ redis, namespace: NAMESPACE });
    const worker = new Worker({
      queue,
      concurrency: callsAreFree ? CONCURRENCY : concurrency,
      handler: async ({ data }: { data: Item }) => {
        const [vector = new Float32Array(vectors.dimensions)] = await provider([data.text]);
        await store.hset(data.key, "embedding", bytesOf(vector));
      },
    });
    worker.on("completed", () => onSettled(1));
    worker.on("failed", (error) => console.error(error));
    worker.on("error", (error) => console.error(error));
    worker.run().catch((error: unknown) => console.error(error));
    return {
      async close() {
        await worker.close();
        await queue.close();
        await Promise.all([redis, store].map((one) => one.quit().catch(() => {})));
      },
    };
  },
};

async function connect(url: string): Promise<Connection> {
  const { Redis } = await loadPeer<IORedis>("ioredis");
  return new Redis(url, { maxRetriesPerRequest: null });
}
