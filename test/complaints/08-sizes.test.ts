// Complaint 8: a vector of the wrong size is silently left out of the index.

import { expect, test } from "bun:test";
import { EmbedqError } from "../../src/index.ts";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { testScope } from "../helpers/scope.ts";

const wrong: [string, (right: Float32Array) => Float32Array][] = [
  ["one number too few", (right) => right.slice(1)],
  ["doubles in the place of floats", (right) => new Float32Array(new Float64Array(right).buffer)],
  ["not a number", (right) => right.map(() => Number.NaN)],
  ["nothing but zeros", (right) => right.map(() => 0)],
  ["nothing but what float32 takes for zero", (right) => right.map(() => -1e-60)],
];

test.each(wrong)("complaint 8: a vector with %s is never stored", async (_, broken) => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.always((texts) => embedder.answer(texts).map(broken));
  const queue = await scope.queue({
    embedder,
    maxAttempts: 1,
    flushIntervalMs: 0,
    onDead: "unset",
  });
  await queue.enqueue("doc:1", "text");
  await scope.untilEmpty();
  expect(await scope.client.hExists("doc:1", "embedding")).toBe(false);
  const [letter] = await queue.deadLetters();
  expect(letter?.reason).toContain("must return");
});

test("complaint 8: the zero vector that a blank text gets is no fault of the embedder", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder, flushIntervalMs: 0 });
  const ticket = await queue.enqueue("doc:1", " \n");
  expect((await ticket.outcome()).status).not.toBe("failed");
  expect(await queue.deadLetters()).toEqual([]);
  expect(embedder.calls).toEqual([]);
});

test("complaint 8: two models, or two sizes of one, never mix in a queue", async () => {
  await using scope = await testScope();
  await scope.queue({ embedder: new FakeEmbedder({ dimensions: 4 }) });
  const other = scope.queue({ embedder: new FakeEmbedder({ dimensions: 8 }) });
  expect(await other.catch((error: unknown) => error)).toMatchObject({
    code: "ERR_SETTINGS_CONFLICT",
  });
  expect(await other.catch((error: unknown) => error)).toBeInstanceOf(EmbedqError);
});

test("complaint 8: what was stored in another size is no vector to the one who reads it", async () => {
  await using scope = await testScope();
  const queue = await scope.queue({ embedder: new FakeEmbedder(), flushIntervalMs: 0 });
  const ticket = await queue.enqueue("doc:1", "text");
  await ticket.embedding();
  await scope.client.hSet("doc:1", "embedding", "12345678");
  const error: unknown = await queue
    .ticket(ticket.key, ticket.version)
    .embedding()
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "ERR_EMBEDDING_CORRUPT" });
});
