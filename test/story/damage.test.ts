// Foreign and damaged data never stops the queue: it is repaired, or set aside with a reason.

import { expect, test } from "bun:test";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { heard, items, type Scope, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";

/** The queue works on: one more text goes through. */
async function expectAlive(scope: Scope): Promise<void> {
  const producer = await scope.queue();
  const ticket = await producer.enqueue("alive", `still ${Math.random()}`);
  await producer.flushNow();
  expect((await ticket.outcome({ timeoutMs: 8000 })).status).toBe("embedded");
  await scope.untilEmpty();
}

test("a malformed entry is set aside as a dead letter with its raw content, others are embedded", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  const repaired = heard(queue, "data:repaired");
  await queue.enqueue("doc:1", "good");
  await scope.client.xAdd(scope.keys.pending, "*", { foo: "bar", "bytes\u0001": 'quote " and ü' });
  await queue.enqueue("doc:2", "good too");
  expect((await queue.flushAndWait()).done).toBe(true);
  await scope.expectEmpty();
  const [letter, ...others] = await queue.deadLetters();
  expect(others).toEqual([]);
  expect(letter).toMatchObject({ reason: "malformed", key: undefined, text: undefined });
  expect(JSON.parse(letter?.raw ?? "")).toEqual(["foo", "bar", "bytes\u0001", 'quote " and ü']);
  expect(await queue.sendBack(letter?.id ?? "")).toEqual({ status: "malformed" });
  expect(repaired).toHaveLength(1);
  expect(embedder.texts).toEqual(["good", "good too"]);
});

test("a malformed entry whose worker died is set aside as well", async () => {
  await using scope = await testScope();
  await scope.client.xAdd(scope.keys.pending, "*", { foo: "bar" });
  await scope.abandon(1);
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder, leaseMs: 100 });
  await until(async () => (await scope.dead()).length === 1, { what: "the dead letter" });
  await scope.untilEmpty();
  expect(await queue.deadLetters()).toMatchObject([{ reason: "malformed" }]);
});

test("a flood of rubbish does not hold up the text behind it", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  for (let n = 0; n < 15; n++) {
    const rubbish = scope.client.multi();
    for (let i = 0; i < 100; i++)
      rubbish.xAdd(scope.keys.pending, "*", { key: `orphan:${n}:${i}` });
    await rubbish.exec();
  }
  const ticket = await queue.enqueue("doc:1", "behind the flood");
  await queue.flushNow();
  expect(await ticket.embedding({ timeoutMs: 10_000 })).toEqual(
    embedder.vectorOf("behind the flood"),
  );
  await scope.untilEmpty();
});

test("an entry without a dedup field is removed, without a call and without a letter", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  await scope.client.xAdd(scope.keys.pending, "*", { key: "orphan" });
  await scope.client.hSet(scope.keys.retries, "orphan", "2");
  await queue.flushNow();
  await scope.untilEmpty();
  expect(embedder.calls).toEqual([]);
  expect(await scope.dead()).toEqual([]);
  await expectAlive(scope);
});

test("a damaged dedup field is set aside as a dead letter, and the wait ends", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  const ticket = await queue.enqueue("doc:1", "text");
  await scope.client.hSet(scope.keys.dedup, "doc:1", "rubbish");
  await queue.flushNow();
  await scope.untilEmpty();
  expect((await ticket.outcome({ timeoutMs: 5000 })).status).toBe("gone");
  expect(await queue.deadLetters()).toMatchObject([
    { reason: "damaged", key: "doc:1", raw: "rubbish", text: undefined },
  ]);
  await expectAlive(scope);
});

test("a new text for a key with a damaged dedup field is embedded", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  await scope.client.hSet(scope.keys.dedup, "doc:1", "17 1-1"); // no line break: damaged
  const ticket = await queue.enqueue("doc:1", "text");
  await queue.flushAndWait();
  expect(await ticket.embedding()).toEqual(embedder.vectorOf("text"));
  await scope.expectEmpty();
});

test("rubbish in retries, clock, flush and cooldown does not stop anything", async () => {
  await using scope = await testScope();
  const { retries, clock, flush, cooldown } = scope.keys;
  await scope.client.hSet(retries, "doc:1", "rubbish");
  for (const key of [clock, flush, cooldown]) await scope.client.set(key, "rubbish");
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  const ticket = await queue.enqueue("doc:1", "text");
  expect(Number.isSafeInteger(ticket.version)).toBe(true);
  await queue.flushAndWait();
  expect(await ticket.embedding()).toEqual(embedder.vectorOf("text"));
  await expectAlive(scope);
});

test("a clock that was moved far ahead does not move the versions with it", async () => {
  await using scope = await testScope();
  await scope.client.set(scope.keys.clock, "9007199254740991");
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  const ticket = await queue.enqueue("doc:1", "text");
  expect(ticket.version).toBeLessThan((Date.now() + 60_000) * 1000);
  await queue.flushAndWait();
  expect(await ticket.embedding()).toEqual(embedder.vectorOf("text"));
});

test("lost queue keys with destinations kept: a new text still wins over the stored version", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  const stored = (Date.now() + 3_600_000) * 1000; // written while the clock was an hour ahead
  await scope.client.hSet("doc:1", {
    embedding_version: String(stored),
    embedding_status: "embedded",
  });
  const ticket = await queue.enqueue("doc:1", "newer");
  expect(ticket.version).toBeGreaterThan(stored);
  await queue.flushAndWait();
  expect(await ticket.embedding()).toEqual(embedder.vectorOf("newer"));
  const other = await queue.enqueue("doc:2", "not lifted");
  expect(other.version).toBeLessThan(stored);
});

test("a destroyed group is made anew, and what waited and was in flight is embedded", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder, maxBatchSize: 2 });
  embedder.hold();
  const tickets = await queue.enqueueMany(items(2));
  await until(() => embedder.active === 1, { what: "the first call" });
  const waiting = await queue.enqueue("waiting", "waits");
  await scope.client.xGroupDestroy(scope.keys.pending, "embedders");
  await queue.flushNow();
  embedder.release();
  for (const ticket of [...tickets, waiting]) {
    expect((await ticket.outcome({ timeoutMs: 5000 })).status).toBe("embedded");
  }
  await scope.untilEmpty();
  await expectAlive(scope);
});

test("a group rebuilt at the end of the stream, or a foreign XACK, hides no text", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const producer = await scope.queue({ model: "fake-1", dimensions: 4 });
  await producer.enqueueMany(items(3));
  await scope.client.xGroupCreate(scope.keys.pending, "embedders", "$");
  await scope.worker({ embedder });
  await scope.untilEmpty();
  expect(embedder.texts).toEqual(items(3).map(({ text }) => text));

  const tickets = await producer.enqueueMany(items(3, "more"));
  const ids = await scope.abandon(3);
  await scope.client.xAck(scope.keys.pending, "embedders", ids);
  await producer.flushNow();
  for (const ticket of tickets) {
    expect((await ticket.outcome({ timeoutMs: 5000 })).status).toBe("embedded");
  }
  await scope.untilEmpty();
});

test("a deleted consumer's work is embedded by others", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const producer = await scope.queue({ model: "fake-1", dimensions: 4 });
  await producer.enqueueMany(items(3));
  await scope.abandon(3);
  await scope.client.xGroupDelConsumer(scope.keys.pending, "embedders", "ghost");
  await scope.worker({ embedder });
  await scope.untilEmpty();
  expect(embedder.texts).toHaveLength(3);
});

test("a deleted stream with dedup kept is rebuilt at the start, and everything is embedded", async () => {
  await using scope = await testScope();
  const producer = await scope.queue({ model: "fake-1", dimensions: 4 });
  const tickets = await producer.enqueueMany(items(30));
  await scope.client.del(scope.keys.pending);
  const embedder = new FakeEmbedder();
  const worker = await scope.worker({ embedder });
  expect(worker).toBeDefined();
  for (const ticket of tickets) {
    expect((await ticket.outcome({ timeoutMs: 5000 })).status).toBe("embedded");
  }
  await scope.untilEmpty();
});

test("a stream deleted under a running worker is rebuilt after the next ring, and its timer runs", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder, flushIntervalMs: 1000 });
  const repaired = heard(queue, "data:repaired");
  const tickets = await queue.enqueueMany(items(3));
  await scope.client.del(scope.keys.pending);
  const ticket = await queue.enqueue("ringing", "rings");
  for (const one of [...tickets, ticket]) {
    expect((await one.outcome({ timeoutMs: 8000 })).status).toBe("embedded");
  }
  expect(repaired.length).toBeGreaterThan(0);
  await scope.untilEmpty();
});

test("flushAndWait repairs a lost stream too: it does not say done while texts are outstanding", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  await queue.enqueueMany(items(3));
  await scope.client.del(scope.keys.pending);
  await queue.flushAndWait({ timeoutMs: 5000 });
  await scope.untilEmpty();
  expect(embedder.texts).toHaveLength(3);
});

test("a single entry deleted by hand: the text is embedded after the next enqueue of its key", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  const lost = await queue.enqueue("doc:1", "text");
  await queue.enqueue("doc:2", "neighbour");
  await scope.client.xDel(scope.keys.pending, (await scope.stream())[0]?.id ?? "");
  const again = await queue.enqueue("doc:1", "text");
  await queue.flushAndWait();
  expect(await again.embedding()).toEqual(embedder.vectorOf("text"));
  expect(await lost.embedding()).toEqual(embedder.vectorOf("text"));
  await scope.untilEmpty();
});

test("FLUSHALL in the middle: the call under way ends, and later work goes on", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.hold();
  const queue = await scope.queue({ embedder, maxBatchSize: 3 });
  await queue.enqueueMany(items(3));
  await until(() => embedder.active === 1, { what: "the call to begin" });
  await queue.enqueue("waiting", "waits");
  await scope.client.flushAll();
  embedder.release();
  await until(() => embedder.active === 0, { what: "the call to end" });
  const tickets = await queue.enqueueMany(items(3, "later"));
  for (const ticket of tickets) {
    expect((await ticket.outcome({ timeoutMs: 5000 })).status).toBe("embedded");
  }
  await scope.untilEmpty();
  expect((await scope.client.hGetAll(scope.keys.settings))["maxBatchSize"]).toBe("3");
  expect(queue.settings.maxBatchSize).toBe(3);
});

test("FLUSHALL while a mere producer and a worker are idle: both go on", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  await scope.worker({ embedder });
  const producer = await scope.queue();
  await scope.client.flushAll();
  const ticket = await producer.enqueue("doc:1", "text");
  await producer.flushNow();
  expect(await ticket.embedding({ timeoutMs: 5000 })).toEqual(embedder.vectorOf("text"));
  await scope.untilEmpty();
});

test("SCRIPT FLUSH in the middle loses nothing and calls nothing twice", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.hold();
  const queue = await scope.queue({ embedder });
  const failed = heard(queue, "worker:failed");
  const tickets = await queue.enqueueMany(items(60));
  await until(() => embedder.active > 0, { what: "a call to begin" });
  await scope.client.scriptFlush();
  embedder.release();
  for (const ticket of tickets) {
    expect((await ticket.outcome({ timeoutMs: 5000 })).status).toBe("embedded");
  }
  await scope.client.scriptFlush();
  await expectAlive(scope);
  expect(failed).toEqual([]);
  expect(embedder.texts).toHaveLength(61);
});

test("a destination of the wrong type becomes a dead letter and stays as it is; neighbours are written", async () => {
  await using scope = await testScope();
  await scope.client.set("doc:1", "a string");
  await scope.client.rPush("doc:4", "a list");
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  const tickets = await queue.enqueueMany([...items(4), { key: "doc:4", text: "" }]);
  const outcomes = Promise.all(tickets.map((ticket) => ticket.outcome({ timeoutMs: 5000 })));
  await queue.flushNow();
  expect((await outcomes).map(({ status }) => status)).toEqual([
    "embedded",
    "gone",
    "embedded",
    "embedded",
    "gone",
  ]);
  await scope.untilEmpty();
  expect(await scope.client.get("doc:1")).toBe("a string");
  const letters = await queue.deadLetters();
  expect(letters.map(({ key }) => key).toSorted()).toEqual(["doc:1", "doc:4"]);
  expect(letters[0]?.reason).toContain("not a hash");
});
