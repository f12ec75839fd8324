// Complaint 2: a batch with too many texts, tokens or bytes is refused, and everything in it is lost.

import { expect, test } from "bun:test";
import type { CallMeasure } from "../../src/index.ts";
import { heard, items, testScope } from "../helpers/scope.ts";
import { startGemini } from "../providers/servers/gemini.ts";
import type { Loopback, Reply } from "../providers/servers/loopback.ts";
import { tokensIn } from "../providers/servers/numbers.ts";
import { openAIError, startOpenAI } from "../providers/servers/openai.ts";
import {
  callSizes,
  expectOwnGeminiVectors,
  expectOwnVectors,
  textsOf,
  wireGemini,
  wireOpenAI,
  wireServer,
} from "../providers/wire.ts";

/** Texts of this length in bytes, each different. */
const longItems = (count: number, length: number, fill: string) =>
  items(count, `${length} bytes`).map(({ key, text }) => ({
    key,
    text: text.padEnd(length, fill),
  }));

test("complaint 2: no call to OpenAI has more than 2,048 texts or 300,000 tokens", async () => {
  await using scope = await testScope();
  await using server = await startOpenAI();
  // Too many for two calls, and more tokens than one may have.
  const texts = [...items(4500), ...longItems(60, 32_000, " word")];
  const queue = await scope.queue({ embedder: wireOpenAI(server), maxBatchSize: 5000 });
  await queue.enqueueMany(texts);
  expect(await queue.flushAndWait({ timeoutMs: 20_000 })).toEqual({ done: true, remaining: 0 });
  expect(server.violations).toEqual([]);
  expect(callSizes(server).reduce((sum, size) => sum + size)).toBe(texts.length);
  expect(await queue.deadLetters()).toEqual([]);
  await expectOwnVectors(scope, texts);
});

test("complaint 2: no call to Gemini has more than 100 texts or 4 MiB, whatever JSON makes of them", async () => {
  await using scope = await testScope();
  await using server = await startGemini();
  const texts = [
    ...items(250),
    ...longItems(110, 32_000, " word"),
    // Six bytes each in JSON.
    ...longItems(100, 14_000, "\u0001"),
  ];
  const embedder = wireGemini(server, { model: "gemini-embedding-2" });
  const queue = await scope.queue({ embedder, maxBatchSize: 1000 });
  await queue.enqueueMany(texts);
  expect(await queue.flushAndWait({ timeoutMs: 20_000 })).toEqual({ done: true, remaining: 0 });
  expect(server.violations).toEqual([]);
  expect(callSizes(server).reduce((sum, size) => sum + size)).toBe(texts.length);
  expect(Math.max(...server.received.map(({ bytes }) => bytes))).toBeGreaterThan(2_000_000);
  expect(await queue.deadLetters()).toEqual([]);
  await expectOwnGeminiVectors(scope, texts);
});

/** A server that takes less than anybody knows: how large its last call was, what it takes, and how it refuses more. */
interface Cap {
  readonly measure: CallMeasure;
  readonly most: number;
  readonly sizeOf: (server: Loopback) => number;
  readonly refuse: (size: number) => Reply;
}

const itemsOf = (server: Loopback) => textsOf(server).length;
const batchSize = (most: number): Reply =>
  openAIError(
    400,
    `<400> InternalError.Algo.InvalidParameter: Value error, batch size is invalid, it should not be larger than ${most}.: input.contents`,
    { type: "InvalidParameter", code: "InvalidParameter" },
  );
const caps: [string, Cap][] = [
  [
    "10 texts, as DashScope",
    { measure: "items", most: 10, sizeOf: itemsOf, refuse: () => batchSize(10) },
  ],
  [
    "25 texts, as DashScope",
    { measure: "items", most: 25, sizeOf: itemsOf, refuse: () => batchSize(25) },
  ],
  [
    "32 texts, as Text Embeddings Inference",
    {
      measure: "items",
      most: 32,
      sizeOf: itemsOf,
      refuse: (size) => ({
        status: 422,
        body: {
          error: `batch size ${size} > maximum allowed batch size 32`,
          error_type: "Validation",
        },
      }),
    },
  ],
  [
    "100 tokens",
    {
      measure: "tokens",
      most: 100,
      sizeOf: (server) => textsOf(server).reduce((sum, text) => sum + tokensIn(text), 0),
      refuse: (size) =>
        openAIError(400, `Requested ${size} tokens, max 100 tokens per request`, {
          type: "max_tokens_per_request",
          code: "max_tokens_per_request",
        }),
    },
  ],
  [
    "a body of 600 bytes, as a gateway in front",
    {
      measure: "bytes",
      most: 600,
      sizeOf: ({ received }) => received.at(-1)?.bytes ?? 0,
      refuse: () => ({
        status: 413,
        body: "<html><h1>413 Request Entity Too Large</h1></html>",
      }),
    },
  ],
];

test.each(caps)(
  "complaint 2: a server that takes %s and tells nobody gets smaller calls, and nothing is lost",
  async (_, { measure, most, sizeOf, refuse }) => {
    await using scope = await testScope();
    await using server = await startOpenAI();
    const refused: number[] = [];
    server.always((right) => {
      const size = sizeOf(server);
      if (size <= most) return right;
      refused.push(size);
      return refuse(size);
    });
    const queue = await scope.queue({ embedder: wireServer(server), concurrency: 1 });
    const lowered = heard(queue, "limit:lowered");
    const retried = heard(queue, "text:retried");
    await queue.enqueueMany(items(50));
    await scope.untilEmpty();
    // Halved each time: 50 texts are 10 or less after three refusals.
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThanOrEqual(3);
    expect(lowered.map((event) => event.measure)).toEqual(refused.map(() => measure));
    const refusals = refused.length;
    await queue.enqueueMany(items(500, "more"));
    await scope.untilEmpty();
    expect(refused).toHaveLength(refusals);
    expect(retried).toEqual([]);
    expect(await queue.deadLetters()).toEqual([]);
    await expectOwnVectors(scope, [...items(50), ...items(500, "more")]);
  },
);
