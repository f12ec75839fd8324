// A wait hears its own key's channel, whatever is in the name, and in whichever database.

import { expect, test } from "bun:test";
import { FakeEmbedder, vectorOf } from "../helpers/embedder.ts";
import { testScope } from "../helpers/scope.ts";
import { heardKeys, subscribers, untilHeard } from "./pubsub.ts";

const STRANGE_KEYS = [
  "with space",
  " ",
  "line\nbreak",
  "carriage\r\nreturn",
  "tab\tand\0zero",
  "glob*",
  "gl?b",
  "[abc]",
  "back\\slash",
  "*",
  "{tag}:a",
  "}{",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "__keyspace@0__:doc",
  "gone doc:1",
  "日本語",
  "Ünïcödé",
  "e\u0301", // beside the next one: two keys, one look
  "\u00e9",
  "👩‍👩‍👧",
  "\ufeffbom",
  "\u202eright to left",
  "0",
  "-0",
  "a".repeat(10_000),
];
/** Longer than the timer of waits without events, shorter than the one of waits with them. */
const BY_EVENT = { timeoutMs: 10_000 };

test("waits for strange keys are heard, each by its own event", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.hold();
  const queue = await scope.queue({ embedder, flushIntervalMs: 0 });
  const tickets = await queue.enqueueMany(
    STRANGE_KEYS.map((key, i) => ({ key, text: `text ${i}` })),
  );
  const vectors = Promise.all(tickets.map((ticket) => ticket.embedding(BY_EVENT)));
  await untilHeard(scope, STRANGE_KEYS.length);
  expect((await heardKeys(scope)).sort()).toEqual([...STRANGE_KEYS].sort());
  embedder.release();
  expect(await vectors).toEqual(STRANGE_KEYS.map((_, i) => vectorOf(`text ${i}`, 4)));
  await untilHeard(scope, 0);
});

test("a cancel of a strange key ends the wait for it", async () => {
  await using scope = await testScope();
  const queue = await scope.queue();
  const tickets = await queue.enqueueMany(STRANGE_KEYS.map((key) => ({ key, text: "text" })));
  const outcomes = Promise.all(tickets.map((ticket) => ticket.outcome(BY_EVENT)));
  await untilHeard(scope, STRANGE_KEYS.length);
  for (const key of STRANGE_KEYS) expect(await queue.cancel(key)).toBe("waiting");
  expect(await outcomes).toEqual(STRANGE_KEYS.map((key) => ({ status: "gone", key })));
});

test("in database 7 the same keys of database 0 are not heard", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.hold();
  const queue = await scope.queue({ redis: `${scope.url}/7`, embedder, flushIntervalMs: 0 });
  const ticket = await queue.enqueue("doc:0", "one");
  let isOver = false;
  const vector = ticket.embedding(BY_EVENT).finally(() => {
    isOver = true;
  });
  await untilHeard(scope, 1, 7);
  expect(await heardKeys(scope, 0)).toEqual([]);
  // A foreign row of the same name, as if finished.
  await scope.client.hSet("doc:0", { embedding_version: ticket.version, embedding_status: "dead" });
  await queue.stats();
  expect(isOver).toBe(false);
  embedder.release();
  expect(await vector).toEqual(vectorOf("one", 4));
  expect(await subscribers(scope)).toBe(1);
});

test("a client that was moved to another database by SELECT is followed", async () => {
  await using scope = await testScope();
  const client = scope.client.duplicate();
  client.on("error", () => {});
  await client.connect();
  try {
    await client.select(5);
    const queue = await scope.queue({
      redis: client,
      embedder: new FakeEmbedder(),
      flushIntervalMs: 0,
    });
    const ticket = await queue.enqueue("doc:0", "one");
    expect(await ticket.embedding(BY_EVENT)).toEqual(vectorOf("one", 4));
    await queue.stop();
  } finally {
    await client.disconnect();
  }
});
