// bee-queue, with the settings that its docs name for speed.

import { type Contender, loadPeer, type Producer } from "../contender.ts";
import { bytesOf, type Item } from "../items.ts";
import { inChunks, Redis } from "../redis.ts";

const NAME = "bench";
/** Jobs in one saveAll. */
const CHUNK = 1000;
/** Jobs in work at once where a call costs nothing. */
const CONCURRENCY = 200;

interface Job {
  readonly data: Item;
  setId(id: string): Job;
  save(): Promise<Job>;
  on(event: "succeeded" | "failed", listener: (value: unknown) => void): void;
}
interface Queue {
  readonly jobs: Map<string, Job>;
  createJob(data: Item): Job;
  saveAll(jobs: Job[]): Promise<Map<Job, Error>>;
  checkHealth(): Promise<{ waiting: number; active: number }>;
  process(concurrency: number, handler: (job: Job) => Promise<void>): void;
  on(event: string, listener: (value: unknown) => void): void;
  ready(): Promise<unknown>;
  close(): Promise<void>;
}
interface BeeQueue {
  readonly default: new (name: string, settings: object) => Queue;
}

export const beeQueue: Contender = {
  settings: `saveAll ${CHUNK} at a time, removeOnSuccess, storeJobs and getEvents only where there are waits, concurrency ${CONCURRENCY} where calls are free`,
  stores: true,

  async produce({ url }) {
    const open = async (hasWaits: boolean) => {
      const { default: BeeQueue } = await loadPeer<BeeQueue>("bee-queue");
      const queue = new BeeQueue(NAME, {
        redis: url,
        isWorker: false,
        getEvents: hasWaits,
        sendEvents: false,
        storeJobs: hasWaits,
      });
      await queue.ready();
      return queue;
    };
    const queue = await open(false);
    let waiting: Promise<Queue> | undefined;
    const withWaits = () => {
      waiting ??= open(true);
      return waiting;
    };
    const saveAll = (own: Queue, items: readonly Item[]) => {
      const jobs = items.map((item) => own.createJob(item));
      return own.saveAll(jobs).then(([...errors]) => {
        if (errors.length > 0) throw errors[0]?.[1];
        return jobs;
      });
    };
    const ended = (job: Job) =>
      new Promise((resolve, reject) => {
        job.on("succeeded", resolve);
        job.on("failed", reject);
      });
    return {
      enqueueMany: (items) => inChunks(items, CHUNK, (chunk) => saveAll(queue, chunk)),
      async enqueue(item) {
        await queue.createJob(item).save();
      },
      async outstanding() {
        const { waiting, active } = await queue.checkHealth();
        return waiting + active;
      },
      async enqueueAndWait(item) {
        const own = await withWaits();
        // An event that comes before the reply of the save is lost by bee-queue, unless the job is known.
        const job = own.createJob(item).setId(item.key);
        own.jobs.set(item.key, job);
        const end = ended(job);
        await job.save();
        await end;
      },
      async prepareWaits(items) {
        const own = await withWaits();
        const jobs: Job[] = [];
        await inChunks(items, CHUNK, async (chunk) => {
          jobs.push(...(await saveAll(own, chunk)));
        });
        return () => jobs.map(ended);
      },
      async close() {
        await queue.close();
        await (await waiting)?.close();
      },
    } satisfies Producer;
  },

  async work({ root, url, callsAreFree, concurrency, vectors }, provider, onSettled) {
    const { default: BeeQueue } = await loadPeer<BeeQueue>("bee-queue");
    const store = await Redis.open(root, url);
    const queue = new BeeQueue(NAME, {
      redis: url,
      getEvents: false,
      storeJobs: false,
      removeOnSuccess: true,
      removeOnFailure: true,
    });
    await queue.ready();
    queue.on("succeeded", () => onSettled(1));
    queue.on("failed", (error) => console.error(error));
    queue.on("error", (error) => console.error(error));
    queue.process(callsAreFree ? CONCURRENCY : concurrency, async ({ data }) => {
      const [vector = new Float32Array(vectors.dimensions)] = await provider([data.text]);
      await store.send("HSET", data.key, "embedding", bytesOf(vector));
    });
    return {
      async close() {
        await queue.close();
        await store.close();
      },
    };
  },
};
