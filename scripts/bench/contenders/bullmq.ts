// BullMQ, in two forms: a provider call for each job, or jobs brought together by DataLoader in the worker.

import { type Contender, loadPeer, type Producer, type Setup } from "../contender.ts";
import { bytesOf, type Item, type Provider } from "../items.ts";
import { inChunks } from "../redis.ts";

const NAME = "bench";
/** Jobs in one addBulk. */
const CHUNK = 1000;
/** Jobs in work at once, where each makes its own call: the docs advise 100 to 300 for work that waits. */
const CONCURRENCY = 200;
/** Jobs that are kept where each is waited for by itself. */
const KEPT = { count: 1000 };
/** How long DataLoader waits for more. */
const WINDOW_MS = 10;

interface Connection {
  hset(key: string, field: string, value: unknown): Promise<unknown>;
  quit(): Promise<unknown>;
}
interface Job {
  readonly data: Item;
  waitUntilFinished(events: unknown): Promise<unknown>;
}
interface Queue {
  add(name: string, data: Item, options?: object): Promise<Job>;
  addBulk(jobs: { name: string; data: Item }[]): Promise<Job[]>;
  getJobCounts(...states: string[]): Promise<Record<string, number>>;
  waitUntilReady(): Promise<unknown>;
  close(): Promise<void>;
}
interface Worker {
  on(event: string, listener: (value: unknown) => void): void;
  waitUntilReady(): Promise<unknown>;
  close(): Promise<void>;
}
interface BullMQ {
  readonly Queue: new (name: string, options: object) => Queue;
  readonly QueueEvents: new (
    name: string,
    options: object,
  ) => Worker & {
    setMaxListeners(count: number): void;
  };
  readonly Worker: new (
    name: string,
    processor: (job: Job) => Promise<void>,
    options: object,
  ) => Worker;
}
interface IORedis {
  readonly Redis: new (url: string, options: object) => Connection;
}
interface DataLoaderPackage {
  readonly default: new (
    load: (texts: readonly string[]) => Promise<ArrayLike<Float32Array>>,
    options: object,
  ) => { load(text: string): Promise<Float32Array> };
}

/** @param isBatched Whether DataLoader makes batches of jobs. */
export function bullmq(isBatched: boolean): Contender {
  return {
    settings: isBatched
      ? `ioredis, removeOnComplete, concurrency = calls × batch, DataLoader: no cache, maxBatchSize = batch, ${WINDOW_MS} ms window`
      : `ioredis, addBulk ${CHUNK} at a time, removeOnComplete, concurrency ${CONCURRENCY} where calls are free, else = calls`,
    stores: true,
    produce,
    work: (setup, provider, onSettled) => work(setup, provider, onSettled, isBatched),
  };
}

async function produce({ url }: Setup): Promise<Producer> {
  const { Queue, QueueEvents } = await loadPeer<BullMQ>("bullmq");
  const connection = await connect(url);
  const queue = new Queue(NAME, {
    connection,
    defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
  });
  await queue.waitUntilReady();
  const eventsConnection = await connect(url);
  const events = new QueueEvents(NAME, { connection: eventsConnection });
  events.setMaxListeners(0);
  await events.waitUntilReady();
  const add = (items: readonly Item[]) =>
    queue.addBulk(items.map((data) => ({ name: "embed", data })));
  return {
    enqueueMany: (items) => inChunks(items, CHUNK, add),
    async enqueue(item) {
      await queue.add("embed", item);
    },
    async outstanding() {
      const counts = await queue.getJobCounts("waiting", "active", "delayed", "prioritized");
      return Object.values(counts).reduce((sum, count) => sum + count, 0);
    },
    async enqueueAndWait(item) {
      // A job that is gone when its wait begins makes the wait fail.
      const job = await queue.add("embed", item, { removeOnComplete: KEPT });
      await job.waitUntilFinished(events);
    },
    async prepareWaits(items) {
      const jobs: Job[] = [];
      await inChunks(items, CHUNK, async (chunk) => {
        jobs.push(...(await add(chunk)));
      });
      return () => jobs.map((job) => job.waitUntilFinished(events));
    },
    async close() {
      await events.close();
      await queue.close();
      await Promise.all([connection.quit(), eventsConnection.quit()]);
    },
  };
}

async function work(
  setup: Setup,
  provider: Provider,
  onSettled: (count: number) => void,
  isBatched: boolean,
) {
  const { Worker } = await loadPeer<BullMQ>("bullmq");
  const { url, batchSize, vectors } = setup;
  const connection = await connect(url);
  const store = await connect(url);
  const embed = isBatched
    ? await batched(provider, batchSize)
    : async (text: string) => (await provider([text]))[0] ?? new Float32Array(vectors.dimensions);
  const worker = new Worker(
    NAME,
    async ({ data }) => {
      await store.hset(data.key, "embedding", bytesOf(await embed(data.text)));
    },
    { connection, concurrency: concurrencyOf(isBatched, setup) },
  );
  worker.on("completed", () => onSettled(1));
  worker.on("failed", (error) => console.error(error));
  worker.on("error", (error) => console.error(error));
  await worker.waitUntilReady();
  return {
    async close() {
      await worker.close();
      await Promise.all([connection.quit(), store.quit()]);
    },
  };
}

/** A job for one text is a call; with batches there must be jobs for all calls. */
function concurrencyOf(
  isBatched: boolean,
  { batchSize, concurrency, callsAreFree }: Setup,
): number {
  if (isBatched) return batchSize * concurrency;
  return callsAreFree ? CONCURRENCY : concurrency;
}

async function batched(provider: Provider, batchSize: number) {
  const { default: DataLoader } = await loadPeer<DataLoaderPackage>("dataloader");
  const loader = new DataLoader((texts) => provider(texts), {
    cache: false,
    maxBatchSize: batchSize,
    batchScheduleFn: (dispatch: () => void) => setTimeout(dispatch, WINDOW_MS),
  });
  return (text: string) => loader.load(text);
}

async function connect(url: string): Promise<Connection> {
  const { Redis } = await loadPeer<IORedis>("ioredis");
  return new Redis(url, { maxRetriesPerRequest: null });
}
