// A walk holds a page, and Redis holds no more outstanding texts than it is told.

import { expect, test } from "bun:test";
import type { WalkProgress } from "../../src/index.ts";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { watchCommands } from "../helpers/monitor.ts";
import { failure, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";
import { writeBodies, writeLibrary, wrongVectors } from "./library.ts";

const BODIES = { match: "doc:*", textField: "body" } as const;
/** Redis returns whole buckets of its table, so that a page can be somewhat larger than asked. */
const SLACK = 3;

test("one page is read, compared and enqueued before the next is asked for", async () => {
  await using scope = await testScope();
  await writeBodies(scope, 500);
  const queue = await scope.queue();
  await using watch = await watchCommands(scope.url);
  const result = await queue.backfill({ ...BODIES, pageSize: 20 });
  await watch.settled();
  const walk = watch.commands.map(({ command }) => command);
  const scans = walk.filter((command) => command === "SCAN").length;
  expect(scans).toBeGreaterThan(500 / 20 / SLACK);
  expect(walk.filter((command) => command === "HMGET")).toHaveLength(result.matched);
  let held = 0;
  let most = 0;
  for (const command of walk) {
    if (command === "SCAN") held = 0;
    if (command === "HMGET") most = Math.max(most, ++held);
  }
  expect(most).toBeLessThanOrEqual(20 * SLACK);
  // Few trips: for a page the step, the reservation, look, enqueue, and the server's name.
  const scripts = walk.filter((command) => command === "EVALSHA" || command === "EVAL").length;
  expect(scripts).toBeLessThanOrEqual(3 * scans + 8);
});

test("a callback is asked for a page at a time", async () => {
  await using scope = await testScope();
  await writeBodies(scope, 300);
  const queue = await scope.queue();
  const sizes: number[] = [];
  await queue.backfill({
    match: "doc:*",
    pageSize: 15,
    textOf: (page) => {
      sizes.push(page.length);
      expect(new Set(page).size).toBe(page.length);
      return Promise.resolve(page.map((key) => `text of ${key}`));
    },
  });
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(300);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(15 * SLACK);
});

test("pages without a key of the pattern read nothing and reserve nothing", async () => {
  await using scope = await testScope();
  await writeBodies(scope, 400, "other");
  await writeBodies(scope, 1);
  const queue = await scope.queue();
  await using watch = await watchCommands(scope.url);
  const reports: WalkProgress[] = [];
  const onProgress = (progress: WalkProgress) => {
    reports.push(progress);
  };
  const result = await queue.backfill({ ...BODIES, pageSize: 10, onProgress });
  await watch.settled();
  expect(result).toMatchObject({ matched: 1, enqueued: 1 });
  expect(watch.commands.filter(({ command }) => command === "HMGET")).toHaveLength(1);
  expect(reports.length).toBeGreaterThan(10);
});

test("the walk waits while maxPending texts are outstanding, and goes on as they are settled", async () => {
  await using scope = await testScope();
  const keys = await writeBodies(scope, 400);
  const embedder = new FakeEmbedder();
  embedder.hold();
  const queue = await scope.queue({ embedder, maxBatchSize: 10 });
  let most = 0;
  const onProgress = async () => {
    most = Math.max(most, await queue.pendingCount());
  };
  const walk = queue.backfill({ ...BODIES, pageSize: 20, maxPending: 50, onProgress });
  // Each look for room reserves a version: it looks again and again, and nothing comes.
  let seen = { clock: "", pending: 0, looks: 0 };
  const hasWaited = async () => {
    const { clock, pending, looks } = seen;
    const now = (await scope.client.get(scope.keys.clock)) ?? "";
    if (now === clock) return false;
    const count = await queue.pendingCount();
    seen = { clock: now, pending: count, looks: count === pending ? looks + 1 : 0 };
    return count >= 50 && seen.looks >= 4;
  };
  await until(hasWaited, { what: "the walk to wait for room" });
  expect(seen.pending).toBeLessThanOrEqual(50 + 20 * SLACK);
  embedder.release();
  expect(await walk).toMatchObject({ done: true, enqueued: 400 });
  expect(most).toBeLessThanOrEqual(50 + 20 * SLACK);
  await queue.flushAndWait();
  expect(await wrongVectors(scope, embedder, keys)).toEqual([]);
});

test("a bound below the batch size does not wait for the queue's timer", async () => {
  await using scope = await testScope();
  await writeBodies(scope, 60);
  const queue = await scope.queue({ embedder: new FakeEmbedder(), maxBatchSize: 1000 });
  const result = await queue.backfill({ ...BODIES, pageSize: 10, maxPending: 5 });
  expect(result).toMatchObject({ done: true, enqueued: 60 });
  await queue.flushAndWait();
});

test("a wait for room ends with the signal, and with a stop", async () => {
  await using scope = await testScope();
  await writeBodies(scope, 50);
  const queue = await scope.queue({ maxBatchSize: 10 });
  const abort = new AbortController();
  const options = { ...BODIES, pageSize: 10, maxPending: 10 };
  const walk = queue.backfill({ ...options, signal: abort.signal });
  const isFull = async () => (await queue.pendingCount()) >= 10;
  await until(isFull, { what: "the queue to be full" });
  abort.abort();
  const { done, cursor } = await walk;
  expect(done).toBe(false);
  const clock = await scope.client.get(scope.keys.clock);
  const second = failure(queue.backfill({ ...options, cursor }));
  // Each look for room reserves a version.
  const hasLooked = async () => (await scope.client.get(scope.keys.clock)) !== clock;
  await until(hasLooked, { what: "the second walk to look for room" });
  await queue.stop();
  expect(await second).toMatchObject({ code: "ERR_WALK_FAILED", cause: { code: "ERR_STOPPED" } });
});

test("progress grows page by page up to all there is", async () => {
  await using scope = await testScope();
  await writeLibrary(scope, 100);
  await writeBodies(scope, 50, "more");
  await scope.client.hSet("more:without", "title", "no body");
  const queue = await scope.queue();
  const reports: WalkProgress[] = [];
  const onProgress = (progress: WalkProgress) => {
    reports.push(progress);
  };
  const result = await queue.backfill({ match: "*", textField: "body", pageSize: 10, onProgress });
  const { done, ...last } = result;
  expect(done).toBe(true);
  expect(reports.at(-1)).toMatchObject({ ...last, cursor: expect.any(String) });
  expect(last).toMatchObject({
    matched: 151,
    enqueued: 50,
    unchanged: 100,
    skipped: 1,
    restarts: 0,
  });
  // The queue's settings and clock are keys as well.
  expect(last.total).toBeGreaterThanOrEqual(151);
  expect(last.scanned).toBeLessThanOrEqual(last.total);
  reports.forEach((report, i) => {
    const before = reports[i - 1];
    expect(report.matched).toBe(report.enqueued + report.unchanged + report.skipped);
    expect(report.scanned).toBeGreaterThanOrEqual(before?.scanned ?? 0);
    expect(report.matched).toBeGreaterThanOrEqual(before?.matched ?? 0);
  });
});
