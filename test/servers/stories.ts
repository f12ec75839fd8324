// The main stories in one, on any server: few texts, as an embedded one slows down with the length of a stream.

import { expect } from "bun:test";
import { EmbedderError, EmbeddingQueue, EmbeddingWorker } from "../../src/index.ts";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { heard, items } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";

const QUICK = {
  stopTimeoutMs: 300,
  backoff: { baseMs: 20, maxMs: 40 },
  cooldown: { baseMs: 50, maxMs: 100 },
  cache: { ttlMs: 60_000 },
  budget: { requestsPerMinute: 10_000, tokensPerMinute: 1_000_000 },
};

/** What the owner of the destinations does. */
export interface Owner {
  sendCommand(args: string[]): Promise<unknown>;
}

/** Everything that a queue does while all is well, and a text that is given up. */
export async function mainStories(redis: string, name: string, owner: Owner): Promise<void> {
  const embedder = new FakeEmbedder();
  const queue = new EmbeddingQueue({ redis, name, maxBatchSize: 5, maxDeadLetters: 2 });
  const worker = new EmbeddingWorker({ redis, name, embedder, ...QUICK });
  const failed = heard(worker, "worker:failed");
  const unavailable = heard(queue, "notifications:unavailable");
  const vectorOf = async (key: string) => {
    const held = String(await owner.sendCommand(["HGET", key, "embedding_status"]));
    return { status: held, bytes: Number(await owner.sendCommand(["HSTRLEN", key, "embedding"])) };
  };
  try {
    await queue.start();
    const early = await queue.enqueue("doc:0", "an older text");
    const tickets = await queue.enqueueMany([...items(12), { key: "doc:blank", text: " " }]);
    const waits = Promise.all(tickets.map((ticket) => ticket.outcome({ timeoutMs: 30_000 })));
    await worker.start();
    expect(await queue.flushAndWait({ timeoutMs: 30_000 })).toMatchObject({ done: true });
    expect((await waits).map(({ status }) => status)).toEqual([
      ...Array.from({ length: 12 }, () => "embedded" as const),
      "blank",
    ]);
    expect(await early.outcome()).toMatchObject({ status: "embedded", superseded: true });
    expect(await tickets[3]?.embedding()).toEqual(embedder.vectorOf("doc text 3"));
    expect(await vectorOf("doc:3")).toEqual({ status: "embedded", bytes: 16 });

    // The same text again: no call. Under another key: from the cache.
    const calls = embedder.calls.length;
    const again = await queue.enqueueMany([
      { key: "doc:3", text: "doc text 3" },
      { key: "copy:3", text: "doc text 3" },
    ]);
    await queue.flushAndWait({ timeoutMs: 30_000 });
    for (const ticket of again)
      expect(await ticket.embedding()).toEqual(embedder.vectorOf("doc text 3"));
    expect(embedder.calls).toHaveLength(calls);

    await queue.pause();
    const unwanted = await queue.enqueue("doc:99", "unwanted");
    expect(await queue.cancel("doc:99")).toBe("waiting");
    expect(await unwanted.outcome()).toMatchObject({ status: "gone" });
    expect(await queue.stats()).toMatchObject({ isPaused: true, pending: 0 });
    await queue.resume();

    // One that fails once, three that are refused: one letter more than there may be.
    embedder.next(() => [new Error("once")]);
    const shaky = await queue.enqueue("doc:shaky", "shaky");
    await queue.flushNow();
    expect(await shaky.outcome({ timeoutMs: 30_000 })).toMatchObject({ status: "embedded" });
    embedder.always((texts) =>
      texts.map((text) =>
        text.startsWith("bad") ? new EmbedderError("rejected", "no") : embedder.vectorOf(text),
      ),
    );
    const bad = await queue.enqueueMany(items(3, "bad"));
    await queue.flushNow();
    for (const ticket of bad) {
      expect(await ticket.outcome({ timeoutMs: 30_000 })).toMatchObject({ status: "dead" });
    }
    await until(async () => (await queue.stats()).deadDropped === 1, { what: "all three letters" });
    const [first, second] = await queue.deadLetters();
    embedder.always();
    await queue.sendBack(first?.id ?? "");
    await queue.flushNow();
    await until(async () => (await vectorOf(first?.key ?? "")).status === "embedded", {
      what: "the text that was sent back",
    });
    await queue.removeDeadLetters([second?.id ?? ""]);
    expect(await queue.deadLetters()).toEqual([]);

    // The provider is away, and comes back.
    embedder.next(() => {
      throw new EmbedderError("unavailable", "HTTP 503");
    });
    const late = await queue.enqueue("doc:late", "late");
    await queue.flushNow();
    expect(await late.outcome({ timeoutMs: 30_000 })).toMatchObject({ status: "embedded" });

    for (let i = 0; i < 6; i++) await owner.sendCommand(["HSET", `old:${i}`, "body", `body ${i}`]);
    expect(await queue.backfill({ match: "old:*", textField: "body" })).toMatchObject({
      enqueued: 6,
    });
    await queue.flushAndWait({ timeoutMs: 30_000 });
    expect(await vectorOf("old:5")).toEqual({ status: "embedded", bytes: 16 });
    await queue.configure({ leaseMs: 50_000 });
    await until(async () => (await queue.stats()).pending === 0, { what: "all to be settled" });
    expect(unavailable).toEqual([]);
    expect(failed).toEqual([]);
  } finally {
    await Promise.all([queue.stop(), worker.stop()]);
  }
  expect(await owner.sendCommand(["HLEN", `{${name}}:dedup`])).toBe(0);
  expect(await owner.sendCommand(["XLEN", `{${name}}:pending`])).toBe(0);
}

/** A worker dies with work in its hands; another one takes it over when the lease is over. */
export async function takeOver(redis: string, name: string, owner: Owner): Promise<void> {
  const embedder = new FakeEmbedder();
  const queue = new EmbeddingQueue({ redis, name, leaseMs: 1000 });
  const worker = new EmbeddingWorker({ redis, name, embedder, ...QUICK });
  try {
    await queue.start();
    const tickets = await queue.enqueueMany(items(3));
    const pending = `{${name}}:pending`;
    await owner.sendCommand(["XGROUP", "CREATE", pending, "embedders", "0"]).catch((error) => {
      if (!String(error).includes("BUSYGROUP")) throw error;
    });
    await owner.sendCommand([
      "XREADGROUP",
      "GROUP",
      "embedders",
      "ghost",
      "COUNT",
      "2",
      "STREAMS",
      pending,
      ">",
    ]);
    // Deleted under it: 6.2 hands out such entries, 7.0 does not.
    const [[gone]] = (await owner.sendCommand(["XRANGE", pending, "-", "+", "COUNT", "1"])) as [
      [string],
    ];
    await owner.sendCommand(["XDEL", pending, gone]);
    await owner.sendCommand(["HDEL", `{${name}}:dedup`, "doc:0"]);
    await worker.start();
    await queue.flushNow();
    expect(await tickets[1]?.outcome({ timeoutMs: 30_000 })).toMatchObject({ status: "embedded" });
    expect(await tickets[2]?.outcome({ timeoutMs: 30_000 })).toMatchObject({ status: "embedded" });
    await until(async () => (await queue.stats()).pending === 0, { what: "all to be settled" });
    const summary = (await owner.sendCommand(["XPENDING", pending, "embedders"])) as [number];
    expect(summary[0]).toBe(0);
    expect(embedder.texts.toSorted()).toEqual(["doc text 1", "doc text 2"]);
  } finally {
    await Promise.all([queue.stop(), worker.stop()]);
  }
}
