// Dead letters in bulk: listed from the newest on, and sent back all at once.

import { expect, test } from "bun:test";
import { EmbedderError, type EmbeddingQueue, type SendBackCounts } from "../../src/index.ts";
import { FakeEmbedder, throwingForTexts } from "../helpers/embedder.ts";
import { items, type Scope, testScope } from "../helpers/scope.ts";

const SPACE = { model: "fake-1", dimensions: 4 };

/** Letters as the protocol has them, the oldest first. */
async function writeLetters(
  scope: Scope,
  letters: readonly { readonly key: string; readonly text: string; readonly version?: number }[],
): Promise<string[]> {
  const ids: string[] = [];
  for (const { key, text, version = 1 } of letters) {
    const fields = { key, text, version: String(version), reason: "no", attempts: "3" };
    ids.push(await scope.client.xAdd(scope.keys.dead, "*", fields));
  }
  return ids;
}

test("letters are listed from the newest on, and between two of them in either order", async () => {
  await using scope = await testScope();
  const queue = await scope.queue(SPACE);
  const ids = await writeLetters(scope, items(7));
  const list = async (query?: Parameters<EmbeddingQueue["deadLetters"]>[0]) =>
    (await queue.deadLetters(query)).map(({ id }) => id);
  const newest = ids.toReversed();
  expect(await list({ newestFirst: true })).toEqual(newest);
  expect(await list({ newestFirst: true, limit: 3 })).toEqual(newest.slice(0, 3));
  const before = newest[2] ?? "";
  expect(await list({ newestFirst: true, limit: 3, before })).toEqual(newest.slice(3, 6));
  const after = ids[1] ?? "";
  expect(await list({ newestFirst: true, before, after })).toEqual(newest.slice(3, 5));
  expect(await list({ before, after })).toEqual(ids.slice(2, 4));
});

test("sendBackAll sends each letter back once, in pages, and they are embedded", async () => {
  await using scope = await testScope();
  const queue = await scope.queue({ embedder: new FakeEmbedder() });
  await writeLetters(scope, items(250));
  const progress: SendBackCounts[] = [];
  const onProgress = (counts: SendBackCounts) => void progress.push(counts);
  const counts = { queued: 250, superseded: 0, absent: 0, malformed: 0 };
  expect(await queue.sendBackAll({ onProgress })).toEqual({ ...counts, done: true });
  expect(progress.map(({ queued }) => queued)).toEqual([100, 200, 250]);
  await queue.flushAndWait();
  await scope.untilEmpty();
  expect(await queue.deadLetters()).toEqual([]);
  expect((await queue.get("doc:249"))?.status).toBe("embedded");
});

test("of several letters of one key the newest text is sent back; malformed letters stay", async () => {
  await using scope = await testScope();
  const queue = await scope.queue(SPACE);
  await writeLetters(scope, [
    { key: "doc:1", text: "old", version: 5 },
    { key: "doc:1", text: "new", version: 6 },
    { key: "doc:2", text: "waits newer already", version: 7 },
  ]);
  await scope.client.xAdd(scope.keys.dead, "*", { reason: "malformed", raw: "[]" });
  await queue.enqueue("doc:2", "newer");
  const counts = { queued: 1, superseded: 2, absent: 0, malformed: 1 };
  expect(await queue.sendBackAll()).toEqual({ ...counts, done: true });
  const dedup = await scope.dedup();
  expect(dedup["doc:1"]).toEndWith("\nnew");
  expect(dedup["doc:2"]).toEndWith("\nnewer");
  expect(await queue.deadLetters()).toMatchObject([{ reason: "malformed" }]);
});

test("texts that die again meanwhile are not sent back a second time", async () => {
  await using scope = await testScope();
  const refusal = () => new EmbedderError("rejected", "never");
  const embedder = new FakeEmbedder().always(throwingForTexts(refusal));
  const queue = await scope.queue({ embedder });
  await writeLetters(scope, items(150));
  // After the first page, until all of it is dead again.
  const onProgress = async () => void (await queue.flushAndWait({ timeoutMs: 20_000 }));
  const result = await queue.sendBackAll({ onProgress });
  expect(result).toMatchObject({ queued: 150, done: true });
  await queue.flushAndWait();
  await scope.untilEmpty();
  expect((await queue.stats()).dead).toBe(150);
  const letters = await queue.deadLetters({ limit: 1000 });
  expect(letters.every(({ reason }) => reason === "never")).toBe(true);
});

test("sendBackAll stops at the signal after a page, and the rest of the letters stay", async () => {
  await using scope = await testScope();
  const queue = await scope.queue(SPACE);
  await writeLetters(scope, items(150));
  const control = new AbortController();
  const onProgress = () => control.abort();
  const cut = await queue.sendBackAll({ onProgress, signal: control.signal });
  expect(cut).toMatchObject({ queued: 100, done: false });
  expect((await queue.stats()).dead).toBe(50);
});
