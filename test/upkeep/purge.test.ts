// Taking all outstanding work away, beside workers and producers that go on.

import { expect, test } from "bun:test";
import { EmbedderError, type PurgeProgress } from "../../src/index.ts";
import { FakeEmbedder, throwing } from "../helpers/embedder.ts";
import { failure, items, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";

const SPACE = { model: "fake-1", dimensions: 4 };

test("purge takes away what waits, is parked and in flight; tickets end as gone, dead letters stay", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ ...SPACE, maxBatchSize: 2 });
  const late = { backoff: { baseMs: 60_000, maxMs: 60_000 }, concurrency: 1 };
  await scope.worker({ embedder, ...late });
  embedder.next(
    throwing(new EmbedderError("rejected", "no")),
    throwing(new EmbedderError("rejected", "no")),
    throwing(new EmbedderError("rejected", "no")),
  );
  await queue.enqueueMany(items(2, "dead"));
  await until(async () => (await queue.stats()).dead === 2, { what: "two dead letters" });
  embedder.next(throwing(new Error("to be parked")));
  const parked = await queue.enqueueMany(items(2, "parked"));
  await until(async () => (await queue.stats()).parked === 2, { what: "two parked texts" });
  embedder.hold();
  const held = await queue.enqueueMany(items(2, "held"));
  await until(() => embedder.active === 1, { what: "the call to begin" });
  const waiting = await queue.enqueueMany(items(600, "waiting"));
  const progress: PurgeProgress[] = [];
  const onProgress = (step: PurgeProgress) => void progress.push(step);
  expect(await queue.purge({ onProgress })).toEqual({ removed: 604, done: true });
  expect(progress.length).toBeGreaterThan(1);
  expect(progress.at(-1)).toEqual({ removed: 604, total: 604 });
  await scope.expectEmpty();
  for (const ticket of [...parked, ...waiting]) {
    expect(await ticket.outcome()).toEqual({ status: "gone", key: ticket.key });
  }
  embedder.release();
  await until(() => embedder.active === 0, { what: "the call to end" });
  for (const ticket of held) expect((await ticket.outcome()).status).toMatch(/gone|embedded/);
  expect(await queue.stats()).toMatchObject({ pending: 0, dead: 2 });
  // The queue goes on as before.
  const [ticket] = await queue.enqueueMany(items(1, "next"));
  await queue.flushNow();
  expect(await ticket?.outcome()).toMatchObject({ status: "embedded" });
});

test("purge leaves what is enqueued after it began, also under a key that was in flight", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.hold();
  await scope.worker({ embedder });
  const queue = await scope.queue(SPACE);
  const old = await queue.enqueue("doc:1", "old text");
  await queue.flushNow();
  await until(() => embedder.active === 1, { what: "the call to begin" });
  await queue.pause();
  await queue.enqueueMany(items(300, "waiting"));
  const newer: ReturnType<typeof queue.enqueue>[] = [];
  const { removed, done } = await queue.purge({
    onProgress: async () => {
      if (newer.length > 0) return;
      newer.push(queue.enqueue("doc:1", "new text"), queue.enqueue("doc:2", "other text"));
      await Promise.all(newer);
    },
  });
  expect({ removed, done }).toEqual({ removed: 301, done: true });
  expect(await queue.stats()).toMatchObject({ pending: 2 });
  embedder.release();
  await queue.resume();
  await queue.flushNow();
  for (const ticket of await Promise.all(newer)) {
    expect(await ticket.outcome()).toMatchObject({ status: "embedded", superseded: false });
  }
  expect(await old.outcome()).toMatchObject({ status: "embedded", superseded: true });
  await scope.untilEmpty();
});

test("purge ends a flush that is waited for, and stops at the signal after a page", async () => {
  await using scope = await testScope();
  const queue = await scope.queue(SPACE);
  await queue.enqueueMany(items(600));
  const flushed = queue.flushAndWait({ timeoutMs: 20_000 });
  const control = new AbortController();
  const onProgress = () => control.abort();
  const cut = await queue.purge({ onProgress, signal: control.signal });
  expect(cut.done).toBe(false);
  expect(cut.removed).toBeGreaterThan(0);
  expect((await queue.stats()).pending).toBe(600 - cut.removed);
  const rest = await queue.purge();
  expect(rest).toEqual({ removed: 600 - cut.removed, done: true });
  expect(await flushed).toEqual({ done: true, remaining: 0 });
  expect(await queue.purge()).toEqual({ removed: 0, done: true });
});

test("purge takes foreign entries, work that has lost its entry, and damaged fields too", async () => {
  await using scope = await testScope();
  const queue = await scope.queue(SPACE);
  await queue.enqueueMany(items(3));
  const [first] = await scope.stream();
  await scope.client.xDel(scope.keys.pending, first?.id ?? "");
  await scope.client.hSet(scope.keys.dedup, "doc:damaged", "rubbish");
  await scope.client.xAdd(scope.keys.pending, "*", { other: "fields" });
  await scope.client.xAdd(scope.keys.pending, "*", { key: "doc:nobody" });
  expect(await queue.purge()).toEqual({ removed: 6, done: true });
  await scope.expectEmpty();
  expect(await queue.deadLetters()).toEqual([]);
});

test("purge works where Redis is out of memory", async () => {
  await using scope = await testScope();
  const queue = await scope.queue(SPACE);
  await queue.enqueueMany(items(10));
  await scope.client.sendCommand(["CONFIG", "SET", "maxmemory", "1"]);
  expect(await queue.purge()).toEqual({ removed: 10, done: true });
  await scope.expectEmpty();
});

test("purge passes on what onProgress throws, and refuses bad options", async () => {
  await using scope = await testScope();
  const queue = await scope.queue(SPACE);
  await queue.enqueueMany(items(2));
  const onProgress = () => Promise.reject(new Error("no more"));
  expect(await failure(queue.purge({ onProgress }))).toMatchObject({ message: "no more" });
  const wrong = { signal: "now" as unknown as AbortSignal };
  expect(await failure(queue.purge(wrong))).toMatchObject({ code: "ERR_OPTION_INVALID" });
});
