// What is written into the destination, to the byte.

import { expect, test } from "bun:test";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { testScope } from "../helpers/scope.ts";

const NUMBERS = [1, -0.5, Math.PI, 1e-40, -3.4e38, 0];

/** Little-endian float32, written without any typed array of the machine's own order. */
function bytesOf(numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(numbers.length * 4);
  for (const [i, number] of numbers.entries()) bytes.writeFloatLE(number, i * 4);
  return bytes;
}

test.each([
  ["number[]", NUMBERS],
  ["Float32Array", Float32Array.from(NUMBERS)],
  ["bytes", new Uint8Array(bytesOf(NUMBERS))],
  ["a Float32Array within a larger buffer", Float32Array.from([9, ...NUMBERS, 9]).subarray(1, 7)],
  ["bytes at an odd offset", new Uint8Array([7, ...bytesOf(NUMBERS), 7]).subarray(1, 25)],
])("a vector given as %s is stored as little-endian float32", async (_, vector) => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder({ dimensions: 6 }).always(() => [vector]);
  const queue = await scope.queue({ embedder });
  const ticket = await queue.enqueue("doc:1", "text");
  await queue.flushAndWait();
  expect((await scope.destination("doc:1")).bytes).toEqual(bytesOf(NUMBERS));
  expect(await ticket.embedding()).toEqual(Float32Array.from(NUMBERS));
  await scope.expectEmpty();
});

test("the destination gets four fields, and its other fields stay", async () => {
  await using scope = await testScope();
  await scope.client.hSet("doc:1", { title: "Title", embeddings: "a neighbour", n: "1" });
  await scope.client.expire("doc:1", 1000);
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  const ticket = await queue.enqueue("doc:1", "text");
  await queue.flushAndWait();
  const { bytes, ...fields } = await scope.destination("doc:1");
  expect(Object.keys(fields).toSorted()).toEqual([
    "embedding",
    "embedding_source",
    "embedding_status",
    "embedding_version",
    "embeddings",
    "n",
    "title",
  ]);
  expect(fields).toMatchObject({
    title: "Title",
    embeddings: "a neighbour",
    n: "1",
    embedding_status: "embedded",
    embedding_version: String(ticket.version),
  });
  expect(fields["embedding_source"]).toMatch(/^[0-9a-f]{32}$/);
  expect(bytes).toEqual(bytesOf([...embedder.vectorOf("text")]));
  expect(await scope.client.ttl("doc:1")).toBeGreaterThan(0);
});

test("the fields can have another name, which later processes adopt", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  await scope.worker({ embedder, field: "vec" });
  const producer = await scope.queue();
  const ticket = await producer.enqueue("doc:1", "text");
  await producer.flushAndWait();
  expect(await ticket.embedding()).toEqual(embedder.vectorOf("text"));
  expect(Object.keys(await scope.client.hGetAll("doc:1")).toSorted()).toEqual([
    "vec",
    "vec_source",
    "vec_status",
    "vec_version",
  ]);
  const blank = await producer.enqueue("doc:2", "");
  expect(await blank.outcome()).toMatchObject({ status: "blank" });
  expect(Object.keys(await scope.client.hGetAll("doc:2")).toSorted()).toEqual([
    "vec",
    "vec_status",
    "vec_version",
  ]);
  await scope.expectEmpty();
});

test("onMissing skip: a missing destination is not created, a present one is written", async () => {
  await using scope = await testScope();
  await scope.client.hSet("present", { title: "here" });
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder, onMissing: "skip" });
  const skipped: string[] = [];
  queue.on("text:skipped", ({ key }) => skipped.push(key));
  const [present, missing, blank] = await queue.enqueueMany([
    { key: "present", text: "one" },
    { key: "missing", text: "two" },
    { key: "missing blank", text: " " },
  ]);
  const outcomes = Promise.all([present, missing, blank].map((ticket) => ticket?.outcome()));
  await queue.flushAndWait();
  expect((await outcomes).map((outcome) => outcome?.status)).toEqual(["embedded", "gone", "gone"]);
  expect(skipped).toEqual(["missing"]);
  expect(await scope.client.exists(["missing", "missing blank"])).toBe(0);
  await scope.untilEmpty();
});
