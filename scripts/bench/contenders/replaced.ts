// The design that embedq replaces, written anew and for measuring only: two sorted sets, a hash that
// names the newest member of each key, and a pub/sub connection for every wait.

import type { Contender, Producer } from "../contender.ts";
import { bytesOf, type Item } from "../items.ts";
import { inChunks, Redis } from "../redis.ts";

const PENDING = "old:pending";
const INFLIGHT = "old:inflight";
const NEWEST = "old:dedup";
const RETRIES = "old:retries";

const CLAIM = `
local taken = redis.call('ZRANGE', KEYS[1], 0, ARGV[2] - 1)
for i = 1, #taken do
  redis.call('ZREM', KEYS[1], taken[i])
  redis.call('ZADD', KEYS[2], ARGV[1], taken[i])
end
return taken
`;

const doneChannel = (key: string) => `old:done:${key}`;

export const replaced: Contender = {
  settings:
    "each text three trips (HGET, then ZREM, then HSET with ZADD), as in the original; one claim at a time, its calls together; no 50 ms sleeps",
  stores: true,

  async produce({ root, url }) {
    const redis = await Redis.open(root, url);
    const enqueue = async ({ key, text }: Item) => {
      const member = JSON.stringify({ redis_key: key, text });
      const older = await redis.bytes("HGET", NEWEST, key);
      if (older !== undefined) await redis.send("ZREM", PENDING, older);
      await Promise.all([
        redis.client.hSet(NEWEST, key, member),
        redis.client.zAdd(PENDING, { score: Date.now() / 1000, value: member }),
      ]);
    };
    // The original asks first and listens then, and sleeps for ever when the word comes between; here
    // the text is enqueued when somebody listens.
    const listen = async (key: string) => {
      if ((await redis.bytes("HGET", key, "embedding")) !== undefined) return { ended: undefined };
      const own = await Redis.open(root, url);
      let tell = () => {};
      const told = new Promise<void>((resolve) => {
        tell = resolve;
      });
      await own.client.subscribe(doneChannel(key), tell);
      const end = async () => {
        await told;
        await redis.bytes("HGET", key, "embedding");
        await own.client.unsubscribe(doneChannel(key));
        await own.close();
      };
      return { ended: end() };
    };
    const wait = async (key: string) => (await listen(key)).ended;
    const enqueueMany = async (items: readonly Item[]) => {
      for (const item of items) await enqueue(item);
    };
    return {
      enqueue,
      enqueueMany,
      outstanding: () => redis.client.zCard(PENDING),
      async enqueueAndWait(item) {
        const { ended } = await listen(item.key);
        await enqueue(item);
        await ended;
      },
      async prepareWaits(items) {
        await enqueueMany(items);
        return () => items.map(({ key }) => wait(key));
      },
      close: () => redis.close(),
    } satisfies Producer;
  },

  async work({ root, url, batchSize, concurrency }, provider, onSettled) {
    const redis = await Redis.open(root, url);
    let isClosing = false;
    const drain = async () => {
      while (!isClosing) {
        const members = (await redis.client.eval(CLAIM, {
          keys: [PENDING, INFLIGHT],
          arguments: [`${Date.now() / 1000}`, `${batchSize * concurrency}`],
        })) as string[];
        if (members.length === 0) {
          await new Promise((resolve) => setTimeout(resolve, 1));
          continue;
        }
        const items = members.map(
          (member) => JSON.parse(member) as { redis_key: string; text: string },
        );
        const calls: Promise<readonly Float32Array[]>[] = [];
        await inChunks(items, batchSize, (chunk) => {
          calls.push(provider(chunk.map(({ text }) => text)));
          return Promise.resolve();
        });
        const vectors = (await Promise.all(calls)).flat();
        await Promise.all(
          items.flatMap(({ redis_key: key }, i) => [
            redis.send("HSET", key, "embedding", bytesOf(vectors[i] as Float32Array)),
            redis.send("HDEL", RETRIES, key),
            redis.send("HDEL", NEWEST, key),
            redis.send("PUBLISH", doneChannel(key), "1"),
          ]),
        );
        await Promise.all(members.map((member) => redis.send("ZREM", INFLIGHT, member)));
        onSettled(items.length);
      }
    };
    const drained = drain();
    return {
      async close() {
        isClosing = true;
        await drained;
        await redis.close();
      },
    };
  },
};
