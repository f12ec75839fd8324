// What an earlier run left is drained by the next one; what a dead worker held is taken over.

import { expect, test } from "bun:test";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { heard, items, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";

test("a start drains what waits from an earlier run at once, before any trigger", async () => {
  await using scope = await testScope();
  const earlier = await scope.queue();
  const tickets = await earlier.enqueueMany(items(7));
  await earlier.stop();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  const waits = tickets.map(({ key, version }) => queue.ticket(key, version).embedding());
  expect(await Promise.all(waits)).toEqual(items(7).map(({ text }) => embedder.vectorOf(text)));
  await scope.untilEmpty();
  expect(embedder.batchSizes).toEqual([7]);
});

test("a start takes over what a dead worker held as soon as its lease is over", async () => {
  await using scope = await testScope();
  const producer = await scope.queue({ leaseMs: 300 });
  const tickets = await producer.enqueueMany(items(5));
  expect(await scope.abandon(3)).toHaveLength(3);
  const embedder = new FakeEmbedder();
  await scope.worker({ embedder });
  const vectors = await Promise.all(tickets.map((ticket) => ticket.embedding({ timeoutMs: 8000 })));
  expect(vectors).toEqual(items(5).map(({ text }) => embedder.vectorOf(text)));
  await scope.untilEmpty();
  expect(embedder.texts.toSorted()).toEqual(items(5).map(({ text }) => text));
  expect(await producer.stats()).toMatchObject({ dead: 0 });
});

test("abandoned work whose lease is over is drained at the start in one batch with what waits", async () => {
  await using scope = await testScope();
  const producer = await scope.queue({ leaseMs: 60_000 });
  await producer.enqueueMany(items(5));
  const ids = await scope.abandon(3);
  await scope.client.sendCommand([
    ...["XCLAIM", scope.keys.pending, "embedders", "ghost", "0", ...ids],
    ...["IDLE", "70000", "RETRYCOUNT", "1", "JUSTID"],
  ]);
  const embedder = new FakeEmbedder();
  await scope.worker({ embedder });
  await scope.untilEmpty();
  expect(embedder.batchSizes).toEqual([5]);
});

test("work in flight whose destination already holds the result is settled without a second call", async () => {
  await using scope = await testScope();
  const producer = await scope.queue({ leaseMs: 200, model: "fake-1", dimensions: 4 });
  const embedder = new FakeEmbedder();
  const ticket = await producer.enqueue("doc:1", "written, not settled");
  await scope.abandon(1);
  // As a worker leaves it that dies between write and settle.
  await scope.client.hSet("doc:1", {
    embedding: Buffer.from(embedder.vectorOf("written, not settled").buffer),
    embedding_status: "embedded",
    embedding_version: String(ticket.version),
    embedding_source: "of that text",
  });
  await scope.worker({ embedder });
  await scope.untilEmpty();
  expect(embedder.calls).toEqual([]);
  expect(await ticket.embedding()).toEqual(embedder.vectorOf("written, not settled"));
});

test("stop leaves what waits in Redis, and the next start embeds it", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const first = await scope.queue({ embedder });
  const stored = await first.enqueue("doc:1", "persisted");
  await first.stop();
  expect(await scope.stream()).toMatchObject([{ message: { key: "doc:1" } }]);
  expect(Object.keys(await scope.dedup())).toEqual(["doc:1"]);
  expect(embedder.calls).toEqual([]);
  const second = await scope.queue({ embedder });
  const ticket = second.ticket(stored.key, stored.version);
  expect(await ticket.embedding()).toEqual(embedder.vectorOf("persisted"));
  await scope.untilEmpty();
});

test("a slow provider call keeps its lease: nobody else takes the text over", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.hold();
  const other = new FakeEmbedder();
  const slow = await scope.worker({ embedder, leaseMs: 200 });
  const lost = heard(slow, "lease:lost");
  const producer = await scope.queue();
  const ticket = await producer.enqueue("doc:1", "slow");
  await producer.flushNow();
  await until(() => embedder.active === 1, { what: "the call to begin" });
  const rival = await scope.worker({ embedder: other });
  expect(rival).toBeDefined();
  // Five renewals: by Redis' own count of the idle time, which each of them sets back.
  let falls = 0;
  let last = 0;
  await until(
    async () => {
      const idleMs = (await scope.group())[0]?.idleMs ?? 0;
      if (idleMs < last) falls++;
      last = idleMs;
      return falls >= 10;
    },
    { what: "ten renewals" },
  );
  embedder.release();
  expect(await ticket.embedding()).toEqual(embedder.vectorOf("slow"));
  await scope.untilEmpty();
  expect(embedder.calls).toHaveLength(1);
  expect(other.calls).toEqual([]);
  expect(lost).toEqual([]);
});

test("a worker that loses a lease says so, and the newer owner's result stays", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.hold();
  const worker = await scope.worker({ embedder, leaseMs: 200 });
  const lost = heard(worker, "lease:lost");
  const producer = await scope.queue();
  const ticket = await producer.enqueue("doc:1", "taken");
  await producer.flushNow();
  await until(() => embedder.active === 1, { what: "the call to begin" });
  const [entry] = await scope.group();
  await scope.client.sendCommand([
    ...["XCLAIM", scope.keys.pending, "embedders", "thief", "0", entry?.id ?? "", "JUSTID"],
  ]);
  await until(() => lost.length > 0, { what: "lease:lost" });
  expect(lost[0]?.keys).toEqual(["doc:1"]);
  embedder.release();
  // By version, not by owner: the vector is right, whoever holds the entry.
  expect(await ticket.embedding()).toEqual(embedder.vectorOf("taken"));
  await scope.untilEmpty();
  expect(lost).toHaveLength(1);
});

test("a retry keeps its lease when the batch that it came from ends", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder({ limits: { maxItems: 1 } });
  const ends: (() => void)[] = [];
  const heldCall = (texts: readonly string[]) =>
    new Promise<Float32Array[]>((resolve) => ends.push(() => resolve(embedder.answer(texts))));
  // One batch, two calls: the first fails at once, the second is held; so is the first one's retry.
  embedder.next(() => {
    throw new Error("once");
  });
  embedder.next(heldCall, heldCall);
  const worker = await scope.worker({ embedder, leaseMs: 300, maxBatchSize: 2 });
  const [drained, lost] = [heard(worker, "batch:drained"), heard(worker, "lease:lost")];
  const producer = await scope.queue();
  const tickets = await producer.enqueueMany(items(2));
  await until(() => ends.length === 2, { what: "the retry beside the other call" });
  ends[0]?.();
  await until(() => drained.length === 1, { what: "the first batch to end" });

  const rival = new FakeEmbedder();
  await scope.worker({ embedder: rival });
  let falls = 0;
  let last = 0;
  await until(
    async () => {
      const idleMs = (await scope.group())[0]?.idleMs ?? 0;
      if (idleMs < last) falls++;
      last = idleMs;
      return falls >= 6;
    },
    { what: "renewals of the retry" },
  );
  expect(rival.calls).toEqual([]);
  ends[1]?.();
  for (const ticket of tickets) expect((await ticket.outcome()).status).toBe("embedded");
  await scope.untilEmpty();
  expect(lost).toEqual([]);
});
