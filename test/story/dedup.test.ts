// One outstanding text for a key: the newest wins, whether the older one waits or is in flight.

import { expect, test } from "bun:test";
import { FakeEmbedder, throwing } from "../helpers/embedder.ts";
import { items, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";

test("the same text again gives the same ticket, waiting and in flight", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.hold();
  const queue = await scope.queue({ embedder });
  const first = await queue.enqueue("doc:1", "same");
  const waiting = await queue.enqueue("doc:1", "same");
  await queue.flushNow();
  await until(() => embedder.active === 1, { what: "the call to begin" });
  const inFlight = await queue.enqueue("doc:1", "same");
  expect([waiting.version, inFlight.version]).toEqual([first.version, first.version]);
  expect(await queue.pendingCount()).toBe(1);
  embedder.release();
  expect(await first.outcome()).toMatchObject({ status: "embedded", superseded: false });
  await scope.untilEmpty();
  expect(embedder.calls).toEqual([["same"]]);
});

test("a newer text takes the place of a waiting one: one entry, its position kept, one call", async () => {
  await using scope = await testScope();
  const producer = await scope.queue({ model: "fake-1", dimensions: 4 });
  const old = await producer.enqueue("doc:1", "old");
  await producer.enqueue("doc:2", "second");
  const before = await scope.stream();
  const fresh = await producer.enqueue("doc:1", "new");
  expect(await scope.stream()).toEqual(before);
  expect(fresh.version).toBeGreaterThan(old.version);

  const embedder = new FakeEmbedder();
  await scope.worker({ embedder });
  expect(await old.outcome()).toMatchObject({ status: "embedded", superseded: true });
  expect(await old.embedding()).toEqual(embedder.vectorOf("new"));
  expect(await fresh.outcome()).toMatchObject({ status: "embedded", superseded: false });
  await scope.untilEmpty();
  expect(embedder.calls).toEqual([["new", "second"]]);
});

test("a newer text of a key in flight gets its own entry; both settle and the newest vector stays", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.hold();
  const queue = await scope.queue({ embedder });
  const old = await queue.enqueue("doc:1", "old");
  await queue.flushNow();
  await until(() => embedder.active === 1, { what: "the call for the old text" });
  const fresh = await queue.enqueue("doc:1", "new");
  expect(await scope.stream()).toHaveLength(2);
  await queue.flushNow();
  await until(() => embedder.active === 2, { what: "the call for the new text" });
  embedder.release();
  expect(await fresh.outcome()).toMatchObject({ status: "embedded", superseded: false });
  expect(await fresh.embedding()).toEqual(embedder.vectorOf("new"));
  await scope.untilEmpty();
  expect(await scope.vector("doc:1")).toEqual([...embedder.vectorOf("new")]);
  expect((await old.outcome()).status).toBe("embedded");
});

test("a slow old call that ends after the newer one does not overwrite its vector", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  let letOldEnd = () => {};
  const gate = new Promise<void>((resolve) => {
    letOldEnd = resolve;
  });
  embedder.next(async (texts) => {
    await gate;
    return embedder.answer(texts);
  });
  const queue = await scope.queue({ embedder });
  const old = await queue.enqueue("doc:1", "old");
  await queue.flushNow();
  await until(() => embedder.active === 1, { what: "the call for the old text" });
  const fresh = await queue.enqueue("doc:1", "new");
  await queue.flushNow();
  expect(await fresh.embedding()).toEqual(embedder.vectorOf("new"));
  expect(await old.outcome()).toMatchObject({ status: "embedded", superseded: true });
  letOldEnd();
  await scope.untilEmpty();
  expect(await scope.vector("doc:1")).toEqual([...embedder.vectorOf("new")]);
});

test("old, new, old again in flight: the last one asked for stays", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.hold();
  const queue = await scope.queue({ embedder });
  await queue.enqueue("doc:1", "one");
  await queue.flushNow();
  await until(() => embedder.active === 1, { what: "the first call" });
  await queue.enqueue("doc:1", "two");
  const last = await queue.enqueue("doc:1", "one");
  await queue.flushNow();
  await until(() => embedder.active === 2, { what: "the second call" });
  embedder.release();
  expect(await last.embedding()).toEqual(embedder.vectorOf("one"));
  await scope.untilEmpty();
  expect(await scope.vector("doc:1")).toEqual([...embedder.vectorOf("one")]);
  expect((await scope.destination("doc:1"))["embedding_version"]).toBe(String(last.version));
});

test("the same key twice in one enqueueMany: the last text wins, each item has its ticket", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  const [first, other, last] = await queue.enqueueMany([
    { key: "doc:1", text: "first" },
    { key: "doc:2", text: "other" },
    { key: "doc:1", text: "last" },
  ]);
  expect(await queue.pendingCount()).toBe(2);
  await queue.flushAndWait();
  expect(await first?.outcome()).toMatchObject({ status: "embedded", superseded: true });
  expect(await last?.outcome()).toMatchObject({ status: "embedded", superseded: false });
  expect(await other?.embedding()).toEqual(embedder.vectorOf("other"));
  expect(await scope.vector("doc:1")).toEqual([...embedder.vectorOf("last")]);
  await scope.untilEmpty();
  expect(embedder.texts.toSorted()).toEqual(["last", "other"]);
});

test("a newer text of a parked retry begins with no attempt spent", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder().always(throwing(new Error("broken")));
  const queue = await scope.queue({ embedder, backoff: { baseMs: 60_000, maxMs: 60_000 } });
  const old = await queue.enqueue("doc:1", "old");
  await queue.flushNow();
  await until(async () => (await scope.retries())["doc:1"] === "1", { what: "one failed attempt" });
  embedder.always();
  const fresh = await queue.enqueue("doc:1", "new");
  expect(await scope.retries()).toEqual({});
  expect(await scope.stream()).toHaveLength(1);
  await queue.flushNow();
  expect(await fresh.embedding()).toEqual(embedder.vectorOf("new"));
  expect(await old.outcome()).toMatchObject({ superseded: true });
  await scope.untilEmpty();
});

test("equal texts of different keys are sent once, and every key gets the vector", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  await queue.enqueueMany(items(50).map(({ key }) => ({ key, text: "shared" })));
  expect((await queue.flushAndWait()).done).toBe(true);
  expect(embedder.calls).toEqual([["shared"]]);
  for (const { key } of items(50)) {
    expect(await scope.vector(key)).toEqual([...embedder.vectorOf("shared")]);
  }
  await scope.expectEmpty();
});
