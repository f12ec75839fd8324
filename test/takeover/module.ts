// What the Python module does to Redis, step by step, so that a test can stop between two steps: the
// enqueue with its dedup, the claim, the end of a batch, the return of a failed one, the reclaim at a start.

import type { TestClient } from "../helpers/scope.ts";

export const DONE_PREFIX = "sg:embed:done:";

const PENDING = "embed_queue:pending";
const INFLIGHT = "embed_queue:inflight";
const DEDUP = "embed_queue:dedup";
const RETRIES = "embed_queue:retries";
const MAX_RETRIES = 3;
const RECLAIM_AFTER_S = 300;

const CLAIM = `
local members = redis.call('ZRANGE', KEYS[1], 0, ARGV[2] - 1)
for i = 1, #members do
  redis.call('ZREM', KEYS[1], members[i])
  redis.call('ZADD', KEYS[2], ARGV[1], members[i])
end
return members
`;

export interface ClaimedMember {
  readonly key: string;
  readonly text: string;
  /** When it was claimed: the time of the enqueue is forgotten then. */
  readonly score: number;
}

export class PythonModule {
  readonly #client: TestClient;
  readonly #aheadS: number;

  /** @param aheadS By how many seconds the clock of its host is ahead; negative for what it did earlier. */
  constructor(client: TestClient, aheadS = 0) {
    this.#client = client;
    this.#aheadS = aheadS;
  }

  /** As Python's `time.time()`, to the microsecond. */
  async now(): Promise<number> {
    const [seconds, micros] = (await this.#client.sendCommand(["TIME"])) as [string, string];
    return Number(seconds) + Number(micros) / 1e6 + this.#aheadS;
  }

  async enqueue(key: string, text: string): Promise<void> {
    if (text.trim() === "") return;
    const score = await this.now();
    const member = memberOf(key, text);
    const old = await this.#client.hGet(DEDUP, key);
    if (typeof old === "string") await this.#client.zRem(PENDING, old);
    await this.#client
      .multi()
      .hSet(DEDUP, key, member)
      .zAdd(PENDING, { score, value: member })
      .exec();
  }

  async claim(count: number): Promise<ClaimedMember[]> {
    const score = await this.now();
    const members = (await this.#client.eval(CLAIM, {
      keys: [PENDING, INFLIGHT],
      arguments: [String(score), String(count)],
    })) as string[];
    const batch: ClaimedMember[] = [];
    for (const member of members) {
      try {
        const { redis_key: key, text } = JSON.parse(member) as { redis_key: string; text: string };
        batch.push({ key, text, score });
      } catch {
        await this.#client.zRem(INFLIGHT, member);
      }
    }
    return batch;
  }

  /** The vectors have come: they are stored, and the batch is let go of. */
  async finish(
    batch: readonly ClaimedMember[],
    vectorOf: (text: string) => Float32Array,
  ): Promise<void> {
    await this.store(batch, vectorOf);
    await this.release(batch);
  }

  async store(
    batch: readonly ClaimedMember[],
    vectorOf: (text: string) => Float32Array,
  ): Promise<void> {
    const multi = this.#client.multi();
    for (const { key, text } of batch) {
      multi.hSet(key, "embedding", float32Bytes(vectorOf(text)));
      multi.hDel(RETRIES, key);
      multi.hDel(DEDUP, key);
      multi.publish(`${DONE_PREFIX}${key}`, "1");
    }
    await multi.exec();
  }

  async release(batch: readonly ClaimedMember[]): Promise<void> {
    const multi = this.#client.multi();
    for (const { key, text } of batch) multi.zRem(INFLIGHT, memberOf(key, text));
    await multi.exec();
  }

  /** The call has failed. */
  async requeue(batch: readonly ClaimedMember[], dimensions = 4): Promise<void> {
    const counts = await Promise.all(batch.map(({ key }) => this.#client.hIncrBy(RETRIES, key, 1)));
    const isOver = (i: number) => (counts[i] ?? 0) >= MAX_RETRIES;
    const multi = this.#client.multi();
    batch.forEach(({ key, text, score }, i) => {
      if (isOver(i)) {
        multi.hSet(key, "embedding", float32Bytes(new Float32Array(dimensions)));
        multi.hDel(RETRIES, key);
        multi.hDel(DEDUP, key);
        multi.publish(`${DONE_PREFIX}${key}`, "1");
      } else {
        const member = memberOf(key, text);
        multi.zRem(INFLIGHT, member);
        multi.zAdd(PENDING, { score, value: member });
      }
    });
    await multi.exec();
  }

  /** What it does when it starts. */
  async reclaim(): Promise<void> {
    const now = await this.now();
    const members = await this.#client.zRangeByScore(INFLIGHT, "-inf", now - RECLAIM_AFTER_S);
    if (members.length === 0) return;
    const multi = this.#client.multi();
    for (const member of members) {
      multi.zRem(INFLIGHT, member);
      multi.zAdd(PENDING, { score: now, value: member });
    }
    await multi.exec();
  }

  /** Everything it keeps, and what embedq keeps beside it. */
  async state(): Promise<{
    pending: string[];
    inflight: string[];
    dedup: string[];
    retries: string[];
    taken: string[];
  }> {
    const client = this.#client;
    const [pending, inflight, dedup, retries, taken] = await Promise.all([
      client.zRange(PENDING, 0, -1),
      client.zRange(INFLIGHT, 0, -1),
      client.hKeys(DEDUP),
      client.hKeys(RETRIES),
      client.hKeys("embed_queue:taken"),
    ]);
    return { pending, inflight, dedup, retries, taken };
  }
}

/** The state of a module that has nothing left. */
export const EMPTY: Awaited<ReturnType<PythonModule["state"]>> = {
  pending: [],
  inflight: [],
  dedup: [],
  retries: [],
  taken: [],
};

/** How json.dumps spells a member: compact, and in ASCII alone. */
export function memberOf(key: string, text: string): string {
  return JSON.stringify({ redis_key: key, text }).replace(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** What numpy's `tobytes` gives for a vector of float32. */
export function float32Bytes(vector: Float32Array): Buffer {
  const bytes = Buffer.alloc(4 * vector.length);
  for (const [i, number] of vector.entries()) bytes.writeFloatLE(number, 4 * i);
  return bytes;
}

/** Somebody who waits for the module's messages, with a client of his own. */
export async function listenForDone(
  client: TestClient,
): Promise<{ readonly keys: string[] } & AsyncDisposable> {
  const keys: string[] = [];
  const subscriber = client.duplicate();
  subscriber.on("error", () => {});
  await subscriber.connect();
  await subscriber.pSubscribe(`${DONE_PREFIX}*`, (message, channel) => {
    if (message === "1") keys.push(channel.slice(DONE_PREFIX.length));
  });
  return { keys, [Symbol.asyncDispose]: () => subscriber.disconnect() };
}
