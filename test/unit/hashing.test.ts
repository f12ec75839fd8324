// The embedder without a model.

import { describe, expect, test } from "bun:test";
import { embedBatch } from "../../src/flow/embed.ts";
import { Evidence } from "../../src/model/evidence.ts";
import { resolveOptions } from "../../src/model/options.ts";
import { hashing } from "../../src/providers/hashing.ts";
import { batchOf, jobsOf, thrownBy } from "./builders.ts";

const context = { signal: new AbortController().signal };

async function vectorOf(text: string, dimensions = 256): Promise<Float32Array> {
  const [vector] = await hashing({ dimensions }).embed([text], context);
  return vector as Float32Array;
}

async function similarity(one: string, other: string): Promise<number> {
  const [a, b] = [await vectorOf(one), await vectorOf(other)];
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
}

/** Texts of every kind that has features of its own, or none. */
const samples = [
  "Streams keep order",
  "a",
  "",
  "?!",
  " \n\t",
  "😀",
  "Żółć",
  "北京",
  "\ud800",
  "x y ".repeat(5000),
];

describe("determinism", () => {
  // Computed once; the same on Node 20, Bun and Deno. A change of these is a change of the model.
  const pinned: [string, number, number[]][] = [
    ["one", 1, [-1]],
    ["?!", 8, [0, 0, 0, 0, 0, 0, 1, 0]],
    ["", 8, [0, 0, 0, 1, 0, 0, 0, 0]],
    [
      "Żółć naïve 北京 ﬁn",
      8,
      [
        -0.5677335858345032, -0.40338966250419617, 0.22410537302494049, 0.0597614087164402,
        0.23904573917388916, 0.5826739072799683, -0.22410537302494049, -0.11952285468578339,
      ],
    ],
  ];
  test.each(pinned)(
    "hashing embeds %p in %i dimensions as it always has",
    async (text, dimensions, wanted) => {
      const vector = await vectorOf(text, dimensions);
      expect(vector).toHaveLength(dimensions);
      for (const [i, value] of wanted.entries()) expect(vector[i]).toBeCloseTo(value, 6);
    },
  );

  test("hashing gives the same bits again, whatever stands beside the text", async () => {
    const [, again] = await hashing().embed(["other", "Streams keep order"], context);
    expect(again).toEqual(await vectorOf("Streams keep order"));
  });

  test("hashing takes letters in either case and in compatible forms as the same", async () => {
    expect(await vectorOf("ﬁne Cafe\u0301")).toEqual(await vectorOf("FINE CAFÉ"));
  });
});

describe("the vector", () => {
  test.each([1, 2, 256, 4096])(
    "hashing makes vectors of length 1 in %i dimensions, of any text",
    async (dimensions) => {
      for (const text of samples) {
        const vector = await vectorOf(text, dimensions);
        expect(vector).toHaveLength(dimensions);
        expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
      }
    },
  );

  test("hashing passes the contract of the queue", async () => {
    const { embedder } = resolveOptions({ embedder: hashing() });
    expect(embedder).toMatchObject({ model: "embedq-hashing-1", dimensions: 256 });
    const jobs = jobsOf(samples);
    const stage = {
      embedder: hashing(),
      timeoutMs: 60_000,
      maxAttempts: 3,
      signal: context.signal,
      fillOf: () => 0,
      batchSize: 50,
      admit: () => Promise.resolve({ end: () => undefined }),
      evidence: new Evidence(),
      onTooLarge: () => undefined,
      onPassed: () => undefined,
      shorten: () => [],
    };
    const { results } = await embedBatch(stage, batchOf(jobs));
    expect(results.map(({ status }) => status)).toEqual(samples.map(() => "embedded"));
  });
});

describe("nearness", () => {
  test("hashing puts texts that share words nearer than texts that share none", async () => {
    const text = "a queue keeps the order of its entries";
    const near = await similarity(text, "the entries of a queue keep their order");
    const far = await similarity(text, "bananas ripen slowly in winter");
    expect(near).toBeGreaterThan(0.4);
    expect(Math.abs(far)).toBeLessThan(0.2);
  });

  test("hashing puts forms of one word near each other", async () => {
    const near = await similarity("embedding", "embeddings");
    expect(near).toBeGreaterThan(await similarity("embedding", "winter"));
    expect(near).toBeGreaterThan(0.3);
  });

  test("hashing hears the order of words", async () => {
    expect(await similarity("dog bites man", "man bites dog")).toBeLessThan(0.99);
  });
});

describe("options", () => {
  test.each([0, -1, 1.5, Number.NaN, 65_537, "256" as never])(
    "hashing refuses %p dimensions",
    (dimensions) => {
      const error = thrownBy(() => hashing({ dimensions }));
      expect(error).toMatchObject({ code: "ERR_OPTION_INVALID" });
      expect((error as Error).message).toContain("`dimensions`");
      expect((error as Error).message).toMatch(/from 1 to 65536|at least 1|at most 65536/);
    },
  );

  test("hashing takes the smallest and the largest number of dimensions", () => {
    expect(hashing({ dimensions: 1 }).dimensions).toBe(1);
    expect(hashing({ dimensions: 65_536 }).dimensions).toBe(65_536);
  });

  test("hashing states its limit of items, 50 where none is given", () => {
    expect(hashing().limits?.maxItems).toBe(50);
    expect(hashing({ maxItems: 7 }).limits?.maxItems).toBe(7);
  });
});
