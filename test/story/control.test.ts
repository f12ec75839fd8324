// Looking after a queue: pause and resume, stats, dead letters.

import { expect, test } from "bun:test";
import { EmbedderError } from "../../src/index.ts";
import { FakeEmbedder, throwing } from "../helpers/embedder.ts";
import { heard, items, type Scope, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";

test("pause keeps all workers from claiming until resume, and stands in Redis", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const worker = await scope.worker({ embedder });
  const producer = await scope.queue();
  await producer.pause();
  expect(await producer.stats()).toMatchObject({ isPaused: true });
  await producer.enqueueMany(items(60));
  expect(await producer.flushAndWait({ timeoutMs: 100 })).toEqual({ done: false, remaining: 60 });
  // Also for a worker that starts meanwhile.
  await worker.stop();
  await scope.worker({ embedder });
  expect(await producer.flushAndWait({ timeoutMs: 100 })).toEqual({ done: false, remaining: 60 });
  expect(embedder.calls).toEqual([]);
  const other = await scope.queue();
  await other.resume();
  await scope.untilEmpty();
  expect(await producer.stats()).toMatchObject({ isPaused: false });
  expect(embedder.texts).toHaveLength(60);
});

test("pause lets a call in flight end and settle", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.hold();
  const queue = await scope.queue({ embedder });
  await queue.enqueue("doc:1", "in flight");
  await queue.flushNow();
  await until(() => embedder.active === 1, { what: "the call to begin" });
  await queue.pause();
  await queue.enqueue("doc:2", "waits");
  embedder.release();
  await until(async () => (await queue.pendingCount()) === 1, { what: "the first to settle" });
  await queue.flushNow();
  expect(await queue.stats()).toMatchObject({ waiting: 1, inFlight: 0 });
  await queue.resume();
  await scope.untilEmpty();
});

test("a pause sends back what is held back for a fuller call, and nothing stays in flight", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder({ limits: { maxItems: 64 } });
  embedder.hold();
  const worker = await scope.worker({ embedder, maxBatchSize: 100, concurrency: 2 });
  const deferred = heard(worker, "text:deferred");
  const producer = await scope.queue({ model: "fake-1", dimensions: 4 });
  await producer.enqueueMany(items(200));
  const isAllTaken = async () => (await producer.stats()).inFlight === 200;
  await until(isAllTaken, { what: "both batches to be claimed" });
  await producer.pause();
  embedder.release();
  // Three full calls were begun or stood in line; eight texts are left.
  const isOver = async () => (await producer.stats()).inFlight === 0;
  await until(isOver, { what: "what was claimed to be through" });
  expect(await producer.stats()).toMatchObject({ waiting: 0, parked: 8, pending: 8 });
  expect(embedder.batchSizes).toEqual([64, 64, 64]);
  expect(deferred).toHaveLength(8);
  // So that the model can be changed now, as the docs say.
  const admin = await scope.queue();
  await admin.configure({ model: "fake-2", dimensions: 4 });
  await admin.configure({ model: "fake-1", dimensions: 4 });
  await producer.resume();
  await scope.untilEmpty();
  expect(embedder.texts).toHaveLength(200);
  expect(await producer.stats()).toMatchObject({ usage: { failures: 0, dead: 0 } });
});

test("a worker with one place free and some texts held back asks for a pause before it calls", async () => {
  await using scope = await testScope();
  const limits = { maxItems: 40, maxTokens: 30, countTokens: () => 1 };
  const embedder = new FakeEmbedder({ limits });
  let end = () => {};
  embedder.next(
    (texts) =>
      new Promise((resolve) => {
        end = () => resolve(embedder.answer(texts));
      }),
  );
  const worker = await scope.worker({ embedder, maxBatchSize: 100, concurrency: 3 });
  let others = () => {};
  const held = new Promise<void>((resolve) => {
    others = resolve;
  });
  embedder.always(async (texts) => {
    await held;
    return embedder.answer(texts);
  });
  const deferred = heard(worker, "text:deferred");
  const producer = await scope.queue({ model: "fake-1", dimensions: 4 });
  await producer.enqueueMany(items(100));
  await until(() => embedder.active === 3, { what: "three calls, and ten texts held back" });
  await producer.pause();
  end();
  await until(() => deferred.length === 10, { what: "these ten to go back" });
  expect(embedder.batchSizes).toEqual([30, 30, 30]);
  others();
  await until(async () => (await producer.stats()).inFlight === 0, { what: "the calls to end" });
  await producer.resume();
  await scope.untilEmpty();
  expect(embedder.texts).toHaveLength(100);
});

test("stats count what waits, is in flight and is parked, the oldest age, and every worker", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const producer = await scope.queue({ maxBatchSize: 2 });
  expect(await producer.stats()).toEqual({
    waiting: 0,
    inFlight: 0,
    parked: 0,
    pending: 0,
    oldestWaitingMs: undefined,
    dead: 0,
    deadDropped: 0,
    isPaused: false,
    cooldownMs: 0,
    cooldownReason: undefined,
    workers: [],
    usage: {
      calls: 0,
      texts: 0,
      tokens: 0,
      tokensEstimated: 0,
      batchFill: undefined,
      cacheHits: 0,
      skipHits: 0,
      deferrals: 0,
      failures: 0,
      dead: 0,
      claims: { size: 0, timer: 0, flush: 0, retry: 0 },
    },
  });
  const late = { backoff: { baseMs: 60_000, maxMs: 60_000 }, concurrency: 1 };
  await scope.worker({ embedder, ...late });
  embedder.next(throwing(new Error("to be parked")));
  await producer.enqueueMany(items(2, "parked"));
  await until(async () => (await producer.stats()).parked === 2, { what: "two parked texts" });
  embedder.hold();
  await producer.enqueueMany(items(2, "held"));
  await until(() => embedder.active === 1, { what: "the call to begin" });
  const idle = new FakeEmbedder();
  await scope.worker({ embedder: idle, ...late });
  await producer.enqueue("waiting", "one");
  await until(async () => ((await producer.stats()).oldestWaitingMs ?? 0) > 20, {
    what: "some age",
  });
  const stats = await producer.stats();
  expect(stats).toMatchObject({ waiting: 1, inFlight: 2, parked: 2, pending: 5, dead: 0 });
  expect(stats.oldestWaitingMs).toBeLessThan(60_000);
  expect(stats.workers.map(({ inFlight }) => inFlight).toSorted()).toEqual([0, 2]);
  expect(stats.workers.every(({ name, idleMs }) => /^worker-/.test(name) && idleMs >= 0)).toBe(
    true,
  );
  expect(await producer.pendingCount()).toBe(5);
});

/** As many dead letters, the oldest first, with a worker that refuses every text. */
async function withLetters(scope: Scope, count: number) {
  const embedder = new FakeEmbedder().always(throwing(new EmbedderError("rejected", "no")));
  const queue = await scope.queue({ embedder });
  for (const { key, text } of items(count)) await queue.enqueue(key, text);
  await queue.flushAndWait();
  await scope.expectEmpty();
  const letters = await queue.deadLetters();
  return { embedder, queue, letters };
}

test("dead letters are listed from the oldest on, after a given one, up to a limit", async () => {
  await using scope = await testScope();
  const { queue } = await withLetters(scope, 7);
  const all = await queue.deadLetters();
  expect(all.map(({ key }) => key).toSorted()).toEqual(items(7).map(({ key }) => key));
  expect(await queue.deadLetters({ limit: 3 })).toEqual(all.slice(0, 3));
  expect(await queue.deadLetters({ after: all[2]?.id, limit: 3 })).toEqual(all.slice(3, 6));
  expect(await queue.deadLetters({ after: all[6]?.id })).toEqual([]);
  expect((await queue.stats()).dead).toBe(7);
});

test("a letter that is sent back is embedded with a new version, and the letter is gone", async () => {
  await using scope = await testScope();
  const { embedder, queue, letters } = await withLetters(scope, 1);
  embedder.always();
  const [letter] = letters;
  const sent = await queue.sendBack(letter?.id ?? "");
  if (sent.status !== "queued") throw new Error(sent.status);
  expect(sent.version).toBeGreaterThan(letter?.version ?? 0);
  expect(await queue.deadLetters()).toEqual([]);
  await queue.flushNow();
  const outcome = await queue.ticket(sent.key, sent.version).outcome();
  expect(outcome).toMatchObject({ status: "embedded", superseded: false });
  expect(await scope.vector("doc:0")).toEqual([...embedder.vectorOf("doc text 0")]);
  // The first ticket follows.
  const first = await queue.ticket("doc:0", letter?.version ?? 0).outcome();
  expect(first).toMatchObject({ status: "embedded", superseded: true });
  await scope.untilEmpty();
  expect(await queue.sendBack(letter?.id ?? "")).toEqual({ status: "absent" });
});

test("a text that dies again after it was sent back has three attempts and one letter", async () => {
  await using scope = await testScope();
  const { embedder, queue, letters } = await withLetters(scope, 1);
  embedder.always(throwing(new Error("broken")));
  await queue.sendBack(letters[0]?.id ?? "");
  await queue.flushAndWait();
  await scope.untilEmpty();
  expect(embedder.calls).toHaveLength(4);
  expect(await queue.deadLetters()).toMatchObject([
    { key: "doc:0", attempts: 3, reason: "broken" },
  ]);
});

test("a letter is not sent back over newer text, outstanding or written", async () => {
  await using scope = await testScope();
  const { embedder, queue, letters } = await withLetters(scope, 2);
  embedder.always();
  const of = (key: string) => letters.find((letter) => letter.key === key)?.id ?? "";
  await queue.enqueue("doc:0", "outstanding");
  expect(await queue.sendBack(of("doc:0"))).toEqual({ status: "superseded" });
  await queue.enqueue("doc:1", "written");
  await queue.flushAndWait();
  expect(await queue.sendBack(of("doc:1"))).toEqual({ status: "superseded" });
  expect(await queue.deadLetters()).toEqual([]);
  expect(await scope.vector("doc:0")).toEqual([...embedder.vectorOf("outstanding")]);
  expect(await scope.vector("doc:1")).toEqual([...embedder.vectorOf("written")]);
  await scope.expectEmpty();
});

test("dead letters can be removed", async () => {
  await using scope = await testScope();
  const { queue, letters } = await withLetters(scope, 3);
  const ids = letters.slice(0, 2).map(({ id }) => id);
  expect(await queue.removeDeadLetters(ids)).toBe(2);
  expect(await queue.removeDeadLetters(ids)).toBe(0);
  expect(await queue.removeDeadLetters([])).toBe(0);
  expect(await queue.deadLetters()).toEqual(letters.slice(2));
});

test("letters beyond maxDeadLetters drop the oldest, which are counted", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder().always(throwing(new EmbedderError("rejected", "no")));
  const queue = await scope.queue({ embedder, maxDeadLetters: 3 });
  for (const { key, text } of items(8)) {
    await queue.enqueue(key, text);
    await queue.flushAndWait();
  }
  expect((await queue.deadLetters()).map(({ key }) => key)).toEqual(["doc:5", "doc:6", "doc:7"]);
  expect(await queue.stats()).toMatchObject({ dead: 3, deadDropped: 5 });
});
