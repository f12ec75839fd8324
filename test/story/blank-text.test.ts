// Blank text: a zero vector, no provider call, and nothing older comes after it.

import { expect, test } from "bun:test";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";

test("blank text gets a zero vector at once, without a worker and without a provider call", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  for (const text of ["", "  ", "\n\t ", "\u00a0\u3000"]) {
    const ticket = await queue.enqueue(`doc:${text.length}`, text);
    expect(await ticket.outcome()).toMatchObject({ status: "blank", superseded: false });
    expect(await ticket.embedding()).toEqual(new Float32Array(4));
  }
  const stored = await scope.destination("doc:0");
  expect(stored.bytes).toEqual(Buffer.alloc(16));
  expect(stored["embedding_status"]).toBe("blank");
  expect(stored["embedding_source"]).toBeUndefined();
  expect(embedder.calls).toEqual([]);
  await scope.expectEmpty();
});

test("blank text takes over waiting work, whose ticket then says superseded", async () => {
  await using scope = await testScope();
  await scope.client.hSet("doc:1", { title: "kept" });
  const queue = await scope.queue({ model: "fake-1", dimensions: 4 });
  const older = await queue.enqueue("doc:1", "to be replaced");
  const blank = await queue.enqueue("doc:1", "   ");
  await scope.expectEmpty();
  expect(blank.version).toBeGreaterThan(older.version);
  expect(await blank.outcome()).toMatchObject({ status: "blank", superseded: false });
  expect(await older.outcome()).toMatchObject({ status: "blank", superseded: true });
  expect((await scope.destination("doc:1"))["title"]).toBe("kept");
});

test("blank text wins over older text that is in flight", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.hold();
  const queue = await scope.queue({ embedder });
  const older = await queue.enqueue("doc:1", "in flight");
  await queue.flushNow();
  await until(() => embedder.active === 1, { what: "the call to begin" });
  const blank = await queue.enqueue("doc:1", "");
  expect(await blank.outcome()).toMatchObject({ status: "blank", superseded: false });
  embedder.release();
  await scope.untilEmpty();
  expect(await scope.vector("doc:1")).toEqual([0, 0, 0, 0]);
  expect((await scope.destination("doc:1"))["embedding_status"]).toBe("blank");
  expect(await older.outcome()).toMatchObject({ status: "blank", superseded: true });
});

test("newer text wins over blank text", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  const blank = await queue.enqueue("doc:1", "");
  const newer = await queue.enqueue("doc:1", "words again");
  await queue.flushAndWait();
  expect(await newer.embedding()).toEqual(embedder.vectorOf("words again"));
  expect(await blank.outcome()).toMatchObject({ status: "embedded", superseded: true });
  await scope.untilEmpty();
});

test("a producer that does not know the dimensions leaves blank text to a worker", async () => {
  await using scope = await testScope();
  const producer = await scope.queue();
  const ticket = await producer.enqueue("doc:1", " ");
  expect(await producer.pendingCount()).toBe(1);
  const embedder = new FakeEmbedder({ dimensions: 6 });
  await scope.worker({ embedder });
  expect(await ticket.outcome()).toMatchObject({ status: "blank" });
  expect(await scope.vector("doc:1")).toEqual([0, 0, 0, 0, 0, 0]);
  await scope.untilEmpty();
  expect(embedder.calls).toEqual([]);
});

test("blank and other texts of one key in one call: the last wins, all tickets end", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  const tickets = await queue.enqueueMany([
    { key: "a", text: "" },
    { key: "a", text: "words" },
    { key: "b", text: "words" },
    { key: "b", text: "" },
    { key: "c", text: "" },
    { key: "c", text: " " },
  ]);
  await queue.flushAndWait();
  const outcomes = await Promise.all(tickets.map((ticket) => ticket.outcome()));
  expect(outcomes.map(({ status }) => status)).toEqual([
    "embedded",
    "embedded",
    "blank",
    "blank",
    "blank",
    "blank",
  ]);
  expect(await scope.vector("a")).toEqual([...embedder.vectorOf("words")]);
  expect(await scope.vector("b")).toEqual([0, 0, 0, 0]);
  await scope.untilEmpty();
});
