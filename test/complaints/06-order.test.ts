// Complaint 6: vectors are attached to the wrong texts, as their order, number or index is not looked at.

import { expect, test } from "bun:test";
import { heard, items, testScope } from "../helpers/scope.ts";
import { startGemini } from "../providers/servers/gemini.ts";
import type { Fault, Reply } from "../providers/servers/loopback.ts";
import { startOpenAI } from "../providers/servers/openai.ts";
import {
  expectOwnGeminiVectors,
  expectOwnVectors,
  wireGemini,
  wireServer,
  withData,
} from "../providers/wire.ts";

type Data = Record<string, unknown>[];

/** Every third, then every third of the rest: no half of it is in order. */
const shuffled = (data: Data) =>
  [0, 1, 2].flatMap((from) => data.filter((_, i) => i % 3 === from)).reverse();

const told: [string, (data: Data) => Data][] = [
  ["in another order, which `index` tells", shuffled],
  [
    "in another order, counted from 1",
    (data) => shuffled(data.map((item, i) => ({ ...item, index: i + 1 }))),
  ],
  ["in order, with 0 as the index of all", (data) => data.map((item) => ({ ...item, index: 0 }))],
  ["in order, without an index", (data) => data.map(({ embedding }) => ({ embedding }))],
  [
    "in order, in pieces that each count from 0",
    (data) => data.map((item, i) => ({ ...item, index: i % 10 })),
  ],
];

test.each(told)(
  "complaint 6: vectors that come %s, are each stored with their own text",
  async (_, change) => {
    await using scope = await testScope();
    await using server = await startOpenAI();
    server.always(withData((data) => change(data as Data)));
    const queue = await scope.queue({ embedder: wireServer(server), flushIntervalMs: 0 });
    const retried = heard(queue, "text:retried");
    await queue.enqueueMany(items(50));
    await scope.untilEmpty();
    await expectOwnVectors(scope, items(50));
    expect(retried).toEqual([]);
  },
);

const miscounted: [string, (data: Data) => unknown][] = [
  ["one too few", (data) => data.toSpliced(7, 1)],
  ["one too few, although all are numbered", (data) => data.toSpliced(7, 1).map(numbered)],
  ["one too many", (data) => [...data.slice(0, 7), ...data.slice(6)]],
  ["one for all", (data) => data.slice(0, 1)],
  ["none", () => []],
];

function numbered(item: Record<string, unknown>, index: number) {
  return { ...item, index };
}

test.each(miscounted)(
  "complaint 6: of a reply with vectors %s, not one is stored",
  async (_, change) => {
    await using scope = await testScope();
    await using server = await startOpenAI();
    server.next(withData((data) => change(data as Data)));
    const queue = await scope.queue({ embedder: wireServer(server), flushIntervalMs: 0 });
    const retried = heard(queue, "text:retried");
    await queue.enqueueMany(items(50));
    await scope.untilEmpty();
    expect(retried).toHaveLength(50);
    for (const { error } of retried) expect(error.message).toContain("must hold 50 embeddings");
    await expectOwnVectors(scope, items(50));
  },
);

test("complaint 6: a server that makes one vector of every batch is given its texts one by one in the end", async () => {
  await using scope = await testScope();
  await using server = await startOpenAI();
  server.always(withData((data) => data.slice(0, 1)));
  const options = { maxAttempts: 2, flushIntervalMs: 0 };
  const queue = await scope.queue({ embedder: wireServer(server), ...options });
  await queue.enqueueMany(items(10));
  await scope.untilEmpty();
  expect(await queue.deadLetters()).toEqual([]);
  await expectOwnVectors(scope, items(10));
});

test("complaint 6: a text whose vector is missing in its place costs nobody else theirs", async () => {
  await using scope = await testScope();
  await using server = await startOpenAI();
  server.next(
    withData((data) =>
      shuffled(data).map((item) => (item["index"] === 7 ? { ...item, embedding: null } : item)),
    ),
  );
  const queue = await scope.queue({ embedder: wireServer(server), flushIntervalMs: 0 });
  const retried = heard(queue, "text:retried");
  await queue.enqueueMany(items(50));
  await scope.untilEmpty();
  await expectOwnVectors(scope, items(50));
  expect(retried.map(({ key }) => key)).toEqual(["doc:7"]);
});

function withEmbeddings(change: (embeddings: unknown[]) => unknown): Fault {
  return ({ status, body }): Reply => {
    const { embeddings } = JSON.parse(String(body)) as { embeddings: unknown[] };
    return { status, body: { embeddings: change(embeddings) } };
  };
}

test("complaint 6: Gemini gets one content for each text, and a reply that fuses them is not stored", async () => {
  await using scope = await testScope();
  await using server = await startGemini();
  const changes = [(list: unknown[]) => list.slice(0, 1), (list: unknown[]) => list.slice(1)];
  server.always(
    withEmbeddings((embeddings) => {
      const change = embeddings.length > 1 ? changes.shift() : undefined;
      return change?.(embeddings) ?? embeddings;
    }),
  );
  const queue = await scope.queue({ embedder: wireGemini(server), flushIntervalMs: 0 });
  const retried = heard(queue, "text:retried");
  await queue.enqueueMany(items(50));
  await scope.untilEmpty();
  await expectOwnGeminiVectors(scope, items(50));
  expect(retried).toHaveLength(100);
  expect(server.violations).toEqual([]);
});
