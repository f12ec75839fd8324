// The least that any correct design sends: no deduplication, no versions, no repairs. A bound, not a queue.

import type { Contender, Producer } from "../contender.ts";
import { bytesOf, type Item } from "../items.ts";
import { inChunks, Redis } from "../redis.ts";

const STREAM = "{raw}:pending";
const GROUP = "workers";
/** Commands sent in one go; more are not faster. */
const CHUNK = 1000;
/** As long as a digest of the text is; it is not computed. */
const SOURCE = "0123456789abcdef0123456789abcdef";

type Entries = [stream: string, entries: [id: string, fields: string[]][]][] | null;

export const raw: Contender = {
  settings: `XADD ${CHUNK} at a time; XREADGROUP COUNT batch, HSET of four fields, XACK, XDEL; no waiting for new entries`,
  stores: true,

  async produce({ root, url, vectors }) {
    const redis = await Redis.open(root, url);
    const subscriber = await Redis.open(root, url);
    await redis.send("CONFIG", "SET", "notify-keyspace-events", "Kh");
    const enqueue = async ({ key, text }: Item) => {
      await redis.send("XADD", STREAM, "*", "key", key, "text", text);
    };
    return {
      enqueue,
      enqueueMany: (items) =>
        inChunks(items, CHUNK, (chunk) => Promise.all(chunk.map((item) => enqueue(item)))),
      outstanding: () => redis.number("XLEN", STREAM),
      // What a wait costs: to listen, to be told of the write, to read. No queue between.
      async enqueueAndWait({ key, text }) {
        const channel = `__keyspace@0__:${key}`;
        let tell = () => {};
        const told = new Promise<void>((resolve) => {
          tell = resolve;
        });
        await subscriber.client.subscribe(channel, tell);
        await redis.send("HSET", key, ...fieldsOf(vectors.of(text), "1"));
        await told;
        await redis.bytes("HGET", key, "embedding");
        await subscriber.client.unsubscribe(channel);
      },
      async close() {
        await Promise.all([redis.close(), subscriber.close()]);
      },
    } satisfies Producer;
  },

  async work({ root, url, batchSize, concurrency }, provider, onSettled) {
    const redis = await Redis.open(root, url);
    await redis.send("XGROUP", "CREATE", STREAM, GROUP, "0", "MKSTREAM");
    let isClosing = false;
    const loop = async () => {
      while (!isClosing) {
        const reply = (await redis.send(
          ...["XREADGROUP", "GROUP", GROUP, "one", "COUNT", `${batchSize}`, "STREAMS", STREAM, ">"],
        )) as Entries;
        const entries = reply?.[0]?.[1] ?? [];
        if (entries.length === 0) return;
        const ids = entries.map(([id]) => id);
        const vectors = await provider(entries.map(([, fields]) => fields[3] as string));
        await Promise.all([
          ...entries.map(([id, fields], i) =>
            redis.send("HSET", fields[1] as string, ...fieldsOf(vectors[i] as Float32Array, id)),
          ),
          redis.send("XACK", STREAM, GROUP, ...ids),
          redis.send("XDEL", STREAM, ...ids),
        ]);
        onSettled(entries.length);
      }
    };
    const loops = Promise.all(Array.from({ length: concurrency }, loop));
    return {
      async close() {
        isClosing = true;
        await loops;
        await redis.close();
      },
    };
  },
};

function fieldsOf(vector: Float32Array, version: string) {
  return [
    ...["embedding", bytesOf(vector), "embedding_source", SOURCE],
    ...["embedding_status", "embedded", "embedding_version", version],
  ];
}
