// Full batches: texts of mixed lengths go out in hardly more calls than the limits ask for.

import { expect, test } from "bun:test";
import type { EmbedderLimits } from "../../src/index.ts";
import { estimateTokens } from "../../src/model/embedder.ts";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { testScope } from "../helpers/scope.ts";

const LIMITS: EmbedderLimits = { maxItems: 2048, maxTokens: 300_000, maxInputTokens: 8192 };
const COUNT = 10_000;

/** Texts of 1 to 8,000 tokens by the estimate, each different; `share` is spread over [0, 1). */
function mixed(tokensOf: (share: number) => number): { key: string; text: string }[] {
  return Array.from({ length: COUNT }, (_, i) => {
    // Multiples of the golden ratio: evenly spread, in an order without a pattern.
    const tokens = Math.ceil(tokensOf((i * 0.6180339887498949) % 1));
    return { key: `doc:${i}`, text: `${i}`.padEnd(4 * tokens, " word").slice(0, 4 * tokens) };
  });
}

const spreads: [string, (share: number) => number][] = [
  ["as many long as short ones", (share) => 1 + 7999 * share],
  ["many short and few long ones", (share) => 8000 ** share],
];

test.each(spreads)(
  "10,000 texts of 1 to 8,000 tokens, %s, fill their calls",
  async (_, tokensOf) => {
    await using scope = await testScope();
    const embedder = new FakeEmbedder({ limits: LIMITS });
    const sizes: { items: number; tokens: number }[] = [];
    embedder.always((texts) => {
      const tokens = texts.reduce((sum, text) => sum + estimateTokens(text), 0);
      sizes.push({ items: texts.length, tokens });
      return embedder.answer(texts);
    });
    const texts = mixed(tokensOf);
    const producer = await scope.queue({
      model: "fake-1",
      dimensions: 4,
      maxBatchSize: 2048,
    });
    await producer.enqueueMany(texts);
    await scope.worker({ embedder });
    expect((await producer.flushAndWait({ timeoutMs: 120_000 })).done).toBe(true);

    const distinct = new Set(texts.map(({ text }) => text)).size;
    expect(sizes.reduce((sum, { items }) => sum + items, 0)).toBe(distinct);
    for (const { items, tokens } of sizes) {
      expect(items).toBeLessThanOrEqual(2048);
      expect(tokens).toBeLessThanOrEqual(300_000);
    }
    const tokens = sizes.reduce((sum, size) => sum + size.tokens, 0);
    const least = Math.max(COUNT / 2048, tokens / 300_000);
    expect(sizes.length).toBeLessThanOrEqual(1.05 * least);
  },
  180_000,
);
