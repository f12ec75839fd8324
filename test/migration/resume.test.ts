// A walk that is cut goes on where it was: no key is missed, and little is looked at twice.

import { expect, test } from "bun:test";
import { WalkError, type WalkProgress, type WalkResult } from "../../src/index.ts";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { failure, type Scope, testScope } from "../helpers/scope.ts";
import { changeModel, NEW, writeBodies, writeLibrary, wrongVectors } from "./library.ts";

const BODIES = { match: "doc:*", textField: "body", pageSize: 10 } as const;
const KEPT = { args: ["--appendonly", "yes", "--appendfsync", "always"] };

/** Lets a walk come so far, and then breaks it. */
function cutAfter(pages: number): (progress: WalkProgress) => void {
  return () => {
    if (--pages === 0) throw new Error("cut");
  };
}

async function expectAllOutstanding(scope: Scope, keys: readonly string[]): Promise<void> {
  expect(Object.keys(await scope.dedup()).toSorted()).toEqual(keys.toSorted());
}

test("a walk that fails again and again ends with every key, each enqueued once", async () => {
  await using scope = await testScope();
  const keys = await writeBodies(scope, 300);
  const queue = await scope.queue();
  let cursor: string | undefined;
  let enqueued = 0;
  let result: WalkResult | undefined;
  let cuts = 0;
  while (result === undefined) {
    try {
      result = await queue.backfill({ ...BODIES, cursor, onProgress: cutAfter(4) });
    } catch (error) {
      expect(error).toBeInstanceOf(WalkError);
      const { progress, cause } = error as WalkError;
      expect(cause).toMatchObject({ message: "cut" });
      expect(progress.restarts).toBe(0);
      cursor = progress.cursor;
      enqueued += progress.enqueued;
      cuts++;
    }
  }
  expect(cuts).toBeGreaterThan(3);
  expect(enqueued + result.enqueued).toBe(300);
  await expectAllOutstanding(scope, keys);
});

test("the cursor of a failed page is that page's: what it held is met again", async () => {
  await using scope = await testScope();
  const keys = await writeBodies(scope, 60);
  const queue = await scope.queue();
  let calls = 0;
  const textOf = (page: readonly string[]) => {
    if (++calls === 3) return Promise.reject(new Error("the database is away"));
    return Promise.resolve(page.map((key) => `text of ${key}`));
  };
  const options = { match: "doc:*", textOf, pageSize: 10 };
  const error = (await failure(queue.backfill(options))) as WalkError;
  expect(error).toMatchObject({ code: "ERR_WALK_FAILED", name: "WalkError" });
  expect(error.message).toContain("the database is away");
  const rest = await queue.backfill({ ...options, cursor: error.progress.cursor });
  expect(rest).toMatchObject({ done: true, restarts: 0 });
  expect(error.progress.enqueued + rest.enqueued).toBe(60);
  await expectAllOutstanding(scope, keys);
});

test("a signal ends the walk in order, and the result's cursor goes on", async () => {
  await using scope = await testScope();
  const keys = await writeBodies(scope, 100);
  const queue = await scope.queue();
  const abort = new AbortController();
  const onProgress = () => abort.abort();
  const first = await queue.backfill({ ...BODIES, signal: abort.signal, onProgress });
  expect(first.done).toBe(false);
  expect(first.enqueued).toBeGreaterThan(0);
  expect(first.enqueued).toBeLessThan(100);
  const second = await queue.backfill({ ...BODIES, cursor: first.cursor });
  expect(second.done).toBe(true);
  expect(first.enqueued + second.enqueued).toBe(100);
  await expectAllOutstanding(scope, keys);
});

test("a signal that was raised before does nothing, and keeps the cursor", async () => {
  await using scope = await testScope();
  await writeBodies(scope, 20);
  const queue = await scope.queue();
  const first = await queue.backfill({ ...BODIES, signal: AbortSignal.abort() });
  expect(first).toMatchObject({ done: false, enqueued: 0 });
  expect((await queue.backfill({ ...BODIES, cursor: first.cursor })).enqueued).toBe(20);
});

test("a stop in the middle ends the walk with a cursor that another process goes on from", async () => {
  await using scope = await testScope();
  const keys = await writeBodies(scope, 100);
  const queue = await scope.queue();
  let stopped: Promise<void> | undefined;
  const onProgress = () => {
    stopped ??= queue.stop();
  };
  const error = (await failure(queue.backfill({ ...BODIES, onProgress }))) as WalkError;
  await stopped;
  expect(error).toMatchObject({ code: "ERR_WALK_FAILED", cause: { code: "ERR_STOPPED" } });
  const other = await scope.queue();
  const rest = await other.backfill({ ...BODIES, cursor: error.progress.cursor });
  expect(error.progress.enqueued + rest.enqueued).toBe(100);
  await expectAllOutstanding(scope, keys);
});

test("a broken network ends the walk, which goes on when it is back", async () => {
  await using scope = await testScope();
  const keys = await writeBodies(scope, 100);
  const proxy = await scope.proxy();
  const queue = await scope.queue({ redis: proxy.url, commandTimeoutMs: 300 });
  const onProgress = async ({ enqueued }: WalkProgress) => {
    if (enqueued < 30) return;
    await proxy.refuse();
    proxy.cut();
  };
  const error = (await failure(queue.backfill({ ...BODIES, onProgress }))) as WalkError;
  expect(error).toMatchObject({ cause: { code: "ERR_REDIS_UNAVAILABLE" } });
  await proxy.accept();
  const direct = await scope.queue();
  const rest = await direct.backfill({ ...BODIES, cursor: error.progress.cursor });
  expect(rest).toMatchObject({ done: true, restarts: 0 });
  await expectAllOutstanding(scope, keys);
});

test("a restart of Redis puts its keys into another order: the walk begins again and misses none", async () => {
  await using scope = await testScope(KEPT);
  const keys = await writeBodies(scope, 300);
  const queue = await scope.queue();
  let pages = 0;
  const onProgress = async () => {
    if (++pages === 4) await scope.server.restart();
  };
  const result = await queue.backfill({ ...BODIES, onProgress });
  expect(result).toMatchObject({ done: true, restarts: 1, enqueued: 300 });
  expect(result.unchanged).toBeGreaterThan(0);
  await expectAllOutstanding(scope, keys);
});

test("a restart after the last page's cursor was asked for is noticed too", async () => {
  await using scope = await testScope(KEPT);
  const keys = await writeBodies(scope, 20);
  const queue = await scope.queue();
  let calls = 0;
  const textOf = async (page: readonly string[]) => {
    if (++calls === 1) await scope.server.restart();
    return page.map((key) => `text of ${key}`);
  };
  // One page holds all: its cursor is 0 already while its texts are looked for.
  const result = await queue.backfill({ match: "doc:*", textOf, pageSize: 500 });
  expect(result).toMatchObject({ done: true, restarts: 1, enqueued: 20, unchanged: 20 });
  await expectAllOutstanding(scope, keys);
});

test("a cursor from before a restart begins again", async () => {
  await using scope = await testScope(KEPT);
  const keys = await writeBodies(scope, 100);
  const queue = await scope.queue();
  const error = await failure(queue.backfill({ ...BODIES, onProgress: cutAfter(3) }));
  const { cursor } = (error as WalkError).progress;
  await scope.server.restart();
  const result = await queue.backfill({ ...BODIES, cursor });
  expect(result).toMatchObject({ done: true, restarts: 1, matched: 100 });
  await expectAllOutstanding(scope, keys);
});

test("a cursor of another pattern begins again", async () => {
  await using scope = await testScope();
  await writeBodies(scope, 100);
  const keys = await writeBodies(scope, 100, "page");
  const queue = await scope.queue();
  const error = await failure(queue.backfill({ ...BODIES, onProgress: cutAfter(3) }));
  const { cursor } = (error as WalkError).progress;
  const result = await queue.backfill({ ...BODIES, match: "page:*", cursor });
  expect(result).toMatchObject({ done: true, restarts: 1, matched: 100, enqueued: 100 });
  expect(Object.keys(await scope.dedup())).toEqual(expect.arrayContaining(keys));
});

test("a model that changes in the middle makes the walk begin again", async () => {
  await using scope = await testScope();
  const keys = await writeLibrary(scope, 100);
  await changeModel(scope, { model: "between", dimensions: 4 });
  const queue = await scope.queue();
  let pages = 0;
  const onProgress = async () => {
    if (++pages === 3) await changeModel(scope);
  };
  const result = await queue.reembed({ ...BODIES, onProgress });
  expect(result).toMatchObject({ done: true, restarts: 1 });
  const embedder = new FakeEmbedder(NEW);
  await scope.worker({ embedder });
  await queue.flushAndWait();
  expect(await wrongVectors(scope, embedder, keys)).toEqual([]);
});

test("a user that may not ask for INFO walks all the same, and every cursor begins again", async () => {
  await using scope = await testScope();
  await writeBodies(scope, 50);
  await scope.client.aclSetUser("walker", ["on", ">secret", "~*", "&*", "+@all", "-info"]);
  const url = scope.url.replace("//", "//walker:secret@");
  const queue = await scope.queue({ redis: url });
  const error = await failure(queue.backfill({ ...BODIES, onProgress: cutAfter(2) }));
  const { cursor, restarts } = (error as WalkError).progress;
  expect(restarts).toBe(0);
  const other = await scope.queue({ redis: url });
  expect(await other.backfill({ ...BODIES, cursor })).toMatchObject({
    done: true,
    restarts: 1,
    matched: 50,
  });
});
