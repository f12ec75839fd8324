// What is stored is what the provider sent: bit for bit from base64, rounded to float32 from floats.

import { describe, expect, test } from "bun:test";
import { openAI, openAICompatible } from "../../src/providers/index.ts";
import { items, testScope } from "../helpers/scope.ts";
import type { Reply } from "./servers/loopback.ts";
import { bytesOf, EDGES, numbersOf } from "./servers/numbers.ts";
import { API_KEY, startOpenAI } from "./servers/openai.ts";

/** Bit patterns of finite numbers, as base64 can carry them: all of their kinds, chosen at random but repeatably. */
function patterns(dimensions: number, seed: number): Buffer {
  const bytes = Buffer.alloc(dimensions * 4);
  let state = seed >>> 0;
  for (let at = 0; at < dimensions; at++) {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    // The exponent of infinities and of what is no number is left out.
    const bits = (state & 0x7f800000) === 0x7f800000 ? state & 0x807fffff : state;
    bytes.writeUInt32LE(at === 0 ? 0x80000000 : bits >>> 0, at * 4);
  }
  return bytes;
}

describe("bytes in Redis", () => {
  test("from base64 are those that the provider sent, bit for bit", async () => {
    await using scope = await testScope();
    await using server = await startOpenAI();
    const docs = items(100);
    const sent = new Map(docs.map(({ text }, i) => [text, patterns(1536, i)]));
    server.always(({ status, body }): Reply => {
      const request = server.received.at(-1)?.body as { input: string[] };
      const data = request.input.map((text, index) => ({
        index,
        embedding: sent.get(text)?.toString("base64"),
      }));
      return { status, body: { ...(body as object), data } };
    });
    const queue = await scope.queue({
      embedder: openAI({ apiKey: API_KEY, baseUrl: `${server.url}/v1` }),
      concurrency: 1,
      flushIntervalMs: 0,
    });
    const tickets = await queue.enqueueMany(docs);
    await Promise.all(tickets.map((ticket) => ticket.embedding()));
    for (const { key, text } of docs) {
      const { bytes } = await scope.destination(key);
      expect(bytes?.equals(sent.get(text) as Buffer)).toBe(true);
    }
    expect(server.violations).toEqual([]);
  });

  test.each([undefined, "float"] as const)(
    "from floats (encoding %p) are the numbers as float32 rounds them",
    async (encodingFormat) => {
      await using scope = await testScope();
      await using server = await startOpenAI();
      const embedder = openAICompatible({
        baseUrl: `${server.url}/v1`,
        apiKey: API_KEY,
        model: "text-embedding-3-small",
        dimensions: 1536,
        encodingFormat,
      });
      const queue = await scope.queue({ embedder, flushIntervalMs: 0 });
      const docs = items(20);
      const tickets = await queue.enqueueMany(docs);
      await Promise.all(tickets.map((ticket) => ticket.embedding()));
      for (const { key, text } of docs) {
        const numbers = numbersOf(text, 1536, EDGES);
        expect(numbers.some((number) => Math.fround(number) !== number)).toBe(true);
        const { bytes } = await scope.destination(key);
        expect(Buffer.from(bytes as unknown as Buffer).equals(bytesOf(numbers))).toBe(true);
      }
    },
  );
});
