// What all processes of a queue agree on: stored once, adopted by the others, changed for all.

import { expect, test } from "bun:test";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { failure, heard, items, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";

const ASKED = {
  maxBatchSize: 7,
  flushIntervalMs: 12_345,
  leaseMs: 23_456,
  maxAttempts: 5,
  maxDeadLetters: 77,
  field: "vec",
};

test("the first start stores what it asks for, and later ones adopt it", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder({ task: "document" });
  await scope.worker({ embedder, ...ASKED });
  const stored = await scope.client.hGetAll(scope.keys.settings);
  expect({ ...stored }).toEqual({
    protocol: "1",
    model: "fake-1",
    dimensions: "4",
    task: "document",
    maxBatchSize: "7",
    flushIntervalMs: "12345",
    leaseMs: "23456",
    maxAttempts: "5",
    maxDeadLetters: "77",
    field: "vec",
  });
  const producer = await scope.queue();
  expect(producer.settings).toEqual({
    ...ASKED,
    space: { model: "fake-1", dimensions: 4, task: "document" },
  });
});

test("what nobody asks for has the defaults of the seed", async () => {
  await using scope = await testScope();
  const queue = await scope.queue({ embedder: new FakeEmbedder() });
  expect(queue.settings).toMatchObject({
    maxBatchSize: 50,
    flushIntervalMs: 3_600_000,
    leaseMs: 60_000,
    maxAttempts: 3,
    maxDeadLetters: 10_000,
    field: "embedding",
  });
});

test.each(Object.entries(ASKED))(
  "another value for %s is refused, naming both values and configure",
  async (name, stored) => {
    await using scope = await testScope();
    await scope.queue({ embedder: new FakeEmbedder(), ...ASKED });
    const before = await scope.client.hGetAll(scope.keys.settings);
    const asked = typeof stored === "number" ? stored + 1 : `${stored}2`;
    const other = scope.newQueue({ [name]: asked });
    const error = (await failure(other.start())) as Error;
    expect(error).toMatchObject({ code: "ERR_SETTINGS_CONFLICT" });
    for (const word of [name, String(stored), String(asked), "configure"]) {
      expect(error.message).toContain(word);
    }
    expect(await scope.client.hGetAll(scope.keys.settings)).toEqual(before);
  },
);

test("the same values asked for again are no conflict", async () => {
  await using scope = await testScope();
  await scope.queue({ embedder: new FakeEmbedder(), ...ASKED });
  const again = await scope.queue({ embedder: new FakeEmbedder(), ...ASKED });
  expect(again.settings).toMatchObject(ASKED);
});

test.each([
  ["model", { model: "fake-2" }],
  ["dimensions", { dimensions: 5 }],
  ["task", { task: "query" }],
])("an embedder of another %s is refused", async (name, change) => {
  await using scope = await testScope();
  await scope.queue({ embedder: new FakeEmbedder() });
  const other = scope.newWorker({ embedder: new FakeEmbedder(change) });
  const error = (await failure(other.start())) as Error;
  expect(error).toMatchObject({ code: "ERR_SETTINGS_CONFLICT" });
  expect(error.message).toContain(name);
});

test("a producer without embedder learns model and dimensions, also when the worker comes later", async () => {
  await using scope = await testScope();
  const producer = await scope.queue();
  expect(producer.settings.space).toBeUndefined();
  const early = await producer.enqueue("doc:1", "before the worker");
  const embedder = new FakeEmbedder();
  await scope.worker({ embedder });
  expect(await early.embedding()).toEqual(embedder.vectorOf("before the worker"));
  // It knows the dimensions by now: a blank text needs no worker.
  const blank = await producer.enqueue("doc:2", "");
  expect(await scope.vector("doc:2")).toEqual([0, 0, 0, 0]);
  expect((await blank.outcome()).status).toBe("blank");
  expect(producer.settings.space).toEqual({ model: "fake-1", dimensions: 4, task: "" });
});

test("a producer can be given the model; a worker that has another is refused", async () => {
  await using scope = await testScope();
  await scope.queue({ model: "fake-1", dimensions: 4 });
  await scope.worker({ embedder: new FakeEmbedder() });
  const other = scope.newWorker({ embedder: new FakeEmbedder({ dimensions: 8 }) });
  expect(await failure(other.start())).toMatchObject({ code: "ERR_SETTINGS_CONFLICT" });
});

test("a producer that names a model without dimensions is refused, or works", async () => {
  await using scope = await testScope();
  let producer: Awaited<ReturnType<typeof scope.queue>>;
  try {
    producer = await scope.queue({ model: "fake-1" });
  } catch (error) {
    expect(error).toMatchObject({ code: "ERR_OPTION_INVALID" });
    return;
  }
  const ticket = await producer.enqueue("doc:1", "text");
  const embedder = new FakeEmbedder();
  await scope.worker({ embedder });
  expect(await ticket.embedding()).toEqual(embedder.vectorOf("text"));
});

test("configure changes a live queue for all its processes", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const worker = await scope.worker({ embedder });
  const drained = heard(worker, "batch:drained");
  const [producer, changer] = [await scope.queue(), await scope.queue()];
  const stored = await changer.configure({ maxBatchSize: 3, flushIntervalMs: 200, field: "vec" });
  expect(stored).toMatchObject({ maxBatchSize: 3, flushIntervalMs: 200, field: "vec" });
  expect(changer.settings).toEqual(stored);
  await until(() => producer.settings.maxBatchSize === 3, { what: "the other producer to adopt" });
  expect(producer.settings).toEqual(stored);
  // The worker decides by them as well: size trigger, batch size, timer and field.
  const tickets = await producer.enqueueMany(items(7));
  const vectors = await Promise.all(tickets.map((ticket) => ticket.embedding({ timeoutMs: 5000 })));
  expect(vectors).toEqual(items(7).map(({ text }) => embedder.vectorOf(text)));
  const late = await producer.enqueue("late", "by the new timer");
  expect(await late.embedding({ timeoutMs: 5000 })).toEqual(embedder.vectorOf("by the new timer"));
  await scope.untilEmpty();
  await until(() => drained.length >= 4, { what: "four batches" });
  expect(drained.map(({ batchSize }) => batchSize).toSorted()).toEqual([1, 1, 3, 3]);
  expect(await scope.client.hGet("late", "vec_status")).toBe("embedded");
});

test("a shorter flush interval is kept for texts that wait already", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  const ticket = await queue.enqueue("doc:1", "waits for an hour");
  await queue.configure({ flushIntervalMs: 100 });
  expect(await ticket.embedding({ timeoutMs: 5000 })).toEqual(
    embedder.vectorOf("waits for an hour"),
  );
});

test("a smaller batch size makes what waits already due", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  await queue.enqueueMany(items(10));
  await queue.configure({ maxBatchSize: 5 });
  await scope.untilEmpty();
  expect(embedder.batchSizes).toEqual([5, 5]);
});

test("maxAttempts changed by configure holds for workers that are running", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder().always(() => {
    throw new Error("never");
  });
  await scope.worker({ embedder });
  const producer = await scope.queue();
  await producer.configure({ maxAttempts: 1 });
  const ticket = await producer.enqueue("doc:1", "text");
  await producer.flushNow();
  expect((await ticket.outcome()).status).toBe("dead");
  await scope.untilEmpty();
  expect(embedder.calls).toHaveLength(1);
  expect(await producer.deadLetters()).toMatchObject([{ attempts: 1 }]);
});

test("a bad value for configure is refused before anything is written", async () => {
  await using scope = await testScope();
  const queue = await scope.queue({ embedder: new FakeEmbedder() });
  const before = await scope.client.hGetAll(scope.keys.settings);
  for (const bad of [
    { maxBatchSize: 0 },
    { leaseMs: 1 },
    { field: "" },
    { color: "red" } as object,
  ]) {
    expect(await failure(queue.configure(bad))).toMatchObject({ code: "ERR_OPTION_INVALID" });
  }
  expect(await scope.client.hGetAll(scope.keys.settings)).toEqual(before);
});

test("the model cannot change while texts are in flight, and can when none are", async () => {
  await using scope = await testScope();
  const old = new FakeEmbedder();
  old.hold();
  const producer = await scope.queue();
  const oldWorker = await scope.worker({ embedder: old });
  await producer.enqueue("doc:1", "in flight");
  await producer.flushNow();
  await until(() => old.active === 1, { what: "the call to begin" });
  const change = { model: "fake-2", dimensions: 2 };
  const busy = (await failure(producer.configure(change))) as Error;
  expect(busy).toMatchObject({ code: "ERR_SETTINGS_BUSY" });
  expect(busy.message).toContain("1");
  expect(await scope.client.hGet(scope.keys.settings, "model")).toBe("fake-1");
  old.release();
  await scope.untilEmpty();

  await producer.configure(change);
  const fresh = new FakeEmbedder(change);
  const ticket = await producer.enqueue("doc:1", "in flight");
  await scope.worker({ embedder: fresh });
  await producer.flushNow();
  expect(await ticket.embedding()).toEqual(fresh.vectorOf("in flight"));
  expect(old.calls).toHaveLength(1);
  await scope.untilEmpty();
  await oldWorker.stop();
});

test("a newer protocol is refused before anything is written", async () => {
  await using scope = await testScope();
  await scope.client.hSet(scope.keys.settings, { protocol: "2", unknown: "future" });
  const snapshot = async () => ({
    keys: await scope.client.keys("*"),
    settings: { ...(await scope.client.hGetAll(scope.keys.settings)) },
  });
  const before = await snapshot();
  for (const one of [scope.newQueue(), scope.newQueue({ embedder: new FakeEmbedder() })]) {
    expect(await failure(one.start())).toMatchObject({ code: "ERR_PROTOCOL_NEWER" });
  }
  const worker = scope.newWorker({ embedder: new FakeEmbedder() });
  expect(await failure(worker.start())).toMatchObject({ code: "ERR_PROTOCOL_NEWER" });
  expect(await snapshot()).toEqual(before);
});

test("a queue whose protocol grows newer under a running producer refuses its texts", async () => {
  await using scope = await testScope();
  const producer = await scope.queue();
  await scope.client.hSet(scope.keys.settings, "protocol", "2");
  const failed = await failure(producer.enqueue("doc:1", "text"));
  expect(failed).toMatchObject({ code: "ERR_PROTOCOL_NEWER" });
  await scope.expectEmpty();
});

test.each([
  ["name", { name: "with {braces}" }],
  ["maxBatchSize", { maxBatchSize: 1.5 }],
  ["concurrency", { concurrency: 0 }],
  ["onDead", { onDead: "burn" as "zero" }],
  ["nonsense", { nonsense: 1 } as object],
  ["dimensions", { embedder: new FakeEmbedder(), dimensions: 5 }],
])("a bad option %s is refused by the constructor", async (name, options) => {
  await using scope = await testScope();
  expect(() => scope.newQueue(options)).toThrow(name);
});

test("two queues of different names on one Redis do not touch each other", async () => {
  await using scope = await testScope();
  const [one, two] = [new FakeEmbedder(), new FakeEmbedder({ model: "other", dimensions: 2 })];
  const first = await scope.queue({ embedder: one });
  const second = await scope.queue({ embedder: two, name: `${scope.name}-2` });
  await first.enqueue("doc:1", "one");
  await second.enqueue("doc:2", "two");
  await first.flushAndWait();
  expect(await second.pendingCount()).toBe(1);
  await second.flushAndWait();
  expect([one.texts, two.texts]).toEqual([["one"], ["two"]]);
});
