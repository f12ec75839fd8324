// Cancelled, skipped, deleted: every ticket says so, and no wait hangs.

import { expect, test } from "bun:test";
import { FakeEmbedder, throwing } from "../helpers/embedder.ts";
import { failure, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";

test("cancel of waiting work takes everything away, and the ticket says gone", async () => {
  await using scope = await testScope();
  const queue = await scope.queue();
  const ticket = await queue.enqueue("doc:1", "text");
  const wait = ticket.outcome();
  const short = failure(ticket.embedding());
  await queue.stats();
  expect(await queue.cancel("doc:1")).toBe("waiting");
  expect(await wait).toEqual({ status: "gone", key: "doc:1" });
  expect(await short).toMatchObject({ code: "ERR_EMBEDDING_GONE" });
  expect(await ticket.outcome()).toEqual({ status: "gone", key: "doc:1" });
  await scope.expectEmpty();
  expect(await scope.client.exists("doc:1")).toBe(0);
});

test("cancel in another queue object ends the wait here", async () => {
  await using scope = await testScope();
  const [here, there] = [await scope.queue(), await scope.queue()];
  const ticket = await here.enqueue("doc: with space", "text");
  const wait = ticket.outcome();
  await here.stats();
  expect(await there.cancel("doc: with space")).toBe("waiting");
  expect((await wait).status).toBe("gone");
});

test("cancel of work in flight says so; its result may still arrive, and nothing is left", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.hold();
  const queue = await scope.queue({ embedder });
  const ticket = await queue.enqueue("doc:1", "text");
  await queue.flushNow();
  await until(() => embedder.active === 1, { what: "the call to begin" });
  const wait = ticket.outcome();
  expect(await queue.cancel("doc:1")).toBe("inFlight");
  expect((await wait).status).toBe("gone");
  await scope.expectEmpty();
  embedder.release();
  await until(() => embedder.active === 0, { what: "the call to end" });
  await queue.stop();
  await scope.expectEmpty();
  expect(await scope.dead()).toEqual([]);
});

test("after a cancel in flight a new text of the key is work like any other", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.hold();
  const queue = await scope.queue({ embedder });
  await queue.enqueue("doc:1", "old");
  await queue.flushNow();
  await until(() => embedder.active === 1, { what: "the call to begin" });
  await queue.cancel("doc:1");
  const ticket = await queue.enqueue("doc:1", "new");
  await queue.flushNow();
  await until(() => embedder.active === 2, { what: "the second call" });
  embedder.release();
  expect(await ticket.embedding()).toEqual(embedder.vectorOf("new"));
  await scope.untilEmpty();
  expect(await scope.vector("doc:1")).toEqual([...embedder.vectorOf("new")]);
});

test("cancel of a retry in its backoff takes it away", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder().next(throwing(new Error("once")));
  const queue = await scope.queue({ embedder, backoff: { baseMs: 60_000, maxMs: 60_000 } });
  const ticket = await queue.enqueue("doc:1", "text");
  await queue.flushNow();
  await until(async () => (await queue.stats()).parked === 1, { what: "the retry to be parked" });
  expect(await queue.cancel("doc:1")).toBe("waiting");
  expect((await ticket.outcome()).status).toBe("gone");
  await scope.expectEmpty();
  expect(await queue.stats()).toMatchObject({ waiting: 0, inFlight: 0, parked: 0, pending: 0 });
});

test("cancel of what is absent or done says absent and changes nothing", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  expect(await queue.cancel("nothing")).toBe("absent");
  const ticket = await queue.enqueue("doc:1", "text");
  await queue.flushAndWait();
  expect(await queue.cancel("doc:1")).toBe("absent");
  expect(await ticket.embedding()).toEqual(embedder.vectorOf("text"));
});

test("cancelled texts do not count for the size trigger", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder, maxBatchSize: 5 });
  for (let n = 0; n < 20; n++) {
    await queue.enqueue(`gone:${n}`, "text");
    await queue.cancel(`gone:${n}`);
  }
  for (let n = 0; n < 4; n++) await queue.enqueue(`doc:${n}`, `text ${n}`);
  expect(await queue.stats()).toMatchObject({ waiting: 4, inFlight: 0 });
  await queue.enqueue("doc:4", "text 4");
  await scope.untilEmpty();
  expect(embedder.batchSizes).toEqual([5]);
});

test.each([
  ["deleted", ["DEL", "doc:1"]],
  ["renamed", ["RENAME", "doc:1", "doc:2"]],
  ["overwritten without a version", ["HDEL", "doc:1", "embedding_version"]],
  ["robbed of its vector", ["HDEL", "doc:1", "embedding"]],
])("when the destination was %s after the write, the ticket says gone", async (_, command) => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  const ticket = await queue.enqueue("doc:1", "text");
  await queue.flushAndWait();
  await scope.client.sendCommand(command);
  expect((await ticket.outcome({ timeoutMs: 5000 })).status).toBe("gone");
});

test("a destination deleted before the write is written all the same", async () => {
  await using scope = await testScope();
  await scope.client.hSet("doc:1", { title: "to be deleted" });
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  const ticket = await queue.enqueue("doc:1", "text");
  await scope.client.del("doc:1");
  await queue.flushAndWait();
  expect(await ticket.embedding()).toEqual(embedder.vectorOf("text"));
});

test("a ticket that nobody ever gave says gone", async () => {
  await using scope = await testScope();
  const queue = await scope.queue();
  expect((await queue.ticket("never", 1).outcome()).status).toBe("gone");
});

test.each([
  ["of the wrong size", "abc"],
  ["that is empty", ""],
  ["of another dimension", "12345678"],
])("a stored vector %s makes embedding() throw ERR_EMBEDDING_CORRUPT", async (_, bytes) => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  const ticket = await queue.enqueue("doc:1", "text");
  await queue.flushAndWait();
  await scope.client.hSet("doc:1", "embedding", bytes);
  expect(await failure(ticket.embedding())).toMatchObject({ code: "ERR_EMBEDDING_CORRUPT" });
});

test("a damaged version in the destination counts as none and is overwritten", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  for (const version of ["rubbish", "1e300", "-5", "9".repeat(30)]) {
    await scope.client.hSet("doc:1", { embedding_version: version });
    const ticket = await queue.enqueue("doc:1", `over ${version}`);
    expect(ticket.version).toBeLessThan(2 ** 53);
    await queue.flushAndWait();
    expect(await ticket.outcome()).toMatchObject({ status: "embedded", superseded: false });
    expect(await ticket.embedding()).toEqual(embedder.vectorOf(`over ${version}`));
  }
  await scope.untilEmpty();
});
