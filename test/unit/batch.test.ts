// How claimed jobs become provider calls.

import { describe, expect, test } from "bun:test";
import { formBatches, maxItemsOf } from "../../src/flow/batch.ts";
import type { Batch } from "../../src/model/batch.ts";
import { type EmbedderLimits, estimateTokens, utf8Length } from "../../src/model/embedder.ts";
import { job, jobsOf, numberedTexts } from "./builders.ts";

/** The texts of each batch of these texts. */
function batched(texts: readonly string[], limits: EmbedderLimits): (readonly string[])[] {
  return formBatches(jobsOf(texts), limits).batches.map(textsOf);
}

function textsOf({ slots }: Batch): string[] {
  return slots.map(({ text }) => text);
}

function jobsIn(batches: readonly Batch[]) {
  return batches.flatMap(({ slots }) => slots.flatMap(({ jobs }) => jobs));
}

describe("limits", () => {
  test("formBatches makes no batch of no jobs", () => {
    expect(formBatches([], {})).toEqual({ batches: [], oversized: [] });
  });

  test("formBatches puts 50 texts into a call where the embedder states no limit", () => {
    expect(maxItemsOf({})).toBe(50);
    expect(batched(numberedTexts(120), {}).map(({ length }) => length)).toEqual([50, 50, 20]);
  });

  test("formBatches keeps to the limit of items", () => {
    expect(batched(["a", "b", "c", "d", "e"], { maxItems: 2 })).toEqual([
      ["a", "b"],
      ["c", "d"],
      ["e"],
    ]);
  });

  test("formBatches fills a batch up to the limit of tokens exactly", () => {
    const limits = { maxTokens: 4, countTokens: (text: string) => text.length };
    expect(batched(["aa", "bb", "cc"], limits)).toEqual([["aa", "bb"], ["cc"]]);
  });

  test("formBatches counts bytes in UTF-8, not in characters", () => {
    // Two euro signs are six bytes.
    expect(batched(["€€", "a", "b", "c"], { maxBytes: 8 })).toEqual([["€€", "a", "b"], ["c"]]);
  });

  test("formBatches estimates a token for every four bytes where no counter is given", () => {
    // 2 and 98 tokens are what 102 leave without the margin.
    const texts = ["12345", "1".repeat(389), "x"];
    expect(batched(texts, { maxTokens: 102 })).toEqual([texts.slice(0, 2), ["x"]]);
  });

  test("formBatches keeps to items, tokens and bytes at once, whichever is met first", () => {
    const countTokens = (text: string) => (text.startsWith("dense") ? 5 : 1);
    const limits = { maxItems: 3, maxTokens: 6, maxBytes: 20, countTokens };
    const texts = ["a", "b", "c", "dense 1", "dense 2", "a text of 20 bytes..", "d"];
    expect(batched(texts, limits)).toEqual([
      ["a", "b", "c"],
      ["dense 1", "d"],
      ["dense 2"],
      ["a text of 20 bytes.."],
    ]);
  });

  test("formBatches never exceeds a limit, loses a job or doubles one, whatever the sizes", () => {
    const limits = { maxItems: 7, maxTokens: 40, maxBytes: 130 };
    const texts = Array.from({ length: 500 }, (_, i) => `${i}`.padEnd(1 + ((i * 37) % 101), "é"));
    const jobs = jobsOf(texts);
    const { batches } = formBatches(jobs, limits, "truncate");
    const sum = (of: (text: string) => number, batch: Batch) =>
      textsOf(batch).reduce((total, text) => total + of(text), 0);
    for (const batch of batches) {
      expect(batch.slots.length).toBeLessThanOrEqual(limits.maxItems);
      expect(sum(estimateTokens, batch)).toBeLessThanOrEqual(limits.maxTokens);
      expect(sum(utf8Length, batch)).toBeLessThanOrEqual(limits.maxBytes);
    }
    const byEntry = (a: { entryId: string }, b: { entryId: string }) =>
      a.entryId < b.entryId ? -1 : 1;
    expect(jobsIn(batches).sort(byEntry)).toEqual(jobs.sort(byEntry));
  });

  test("formBatches asks the counter once for each distinct text", () => {
    const counted: string[] = [];
    const countTokens = (text: string) => counted.push(text);
    formBatches(jobsOf(["a", "b", "a"]), { maxTokens: 100, countTokens });
    expect(counted).toEqual(["a", "b"]);
  });

  test("formBatches survives a counter that throws: every job still comes out", () => {
    const countTokens = (text: string) => {
      if (text.includes("<|endoftext|>")) throw new Error("a special token is not allowed");
      return 1;
    };
    const jobs = jobsOf(["a", "on <|endoftext|>", "b"]);
    const { batches } = formBatches(jobs, { maxTokens: 10, countTokens });
    expect(new Set(jobsIn(batches))).toEqual(new Set(jobs));
  });

  test("formBatches estimates a text whose count is not a number", () => {
    const countTokens = (text: string) => (text.startsWith("odd") ? Number.NaN : 1);
    expect(batched(["a", "odd text", "b"], { maxTokens: 3, countTokens })).toEqual([
      ["a", "odd text"],
      ["b"],
    ]);
  });

  test("formBatches leaves a margin where tokens are estimated, and none where they are counted", () => {
    const texts = numberedTexts(100).map((text) => text.padEnd(40, "."));
    expect(batched(texts, { maxItems: 100, maxTokens: 1000 }).map(({ length }) => length)).toEqual([
      99, 1,
    ]);
    const countTokens = estimateTokens;
    expect(batched(texts, { maxItems: 100, maxTokens: 1000, countTokens })).toHaveLength(1);
  });
});

describe("long texts", () => {
  test("formBatches lets short texts pass a long one", () => {
    expect(batched(["123456", "1234567", "1", "2"], { maxBytes: 8 })).toEqual([
      ["123456", "1", "2"],
      ["1234567"],
    ]);
  });
});

describe("order and shared slots", () => {
  test("formBatches keeps the order of the jobs in a batch", () => {
    const texts = numberedTexts(10);
    expect(batched(texts, {})).toEqual([texts]);
  });

  test("formBatches gives equal texts one slot with all their jobs, in order", () => {
    const jobs = jobsOf(["same", "other", "same", "same"]);
    const [batch] = formBatches(jobs, {}).batches;
    expect(batch?.slots).toEqual([
      { text: "same", tokens: 1, bytes: 4, jobs: [jobs[0], jobs[2], jobs[3]], pieces: [] } as never,
      { text: "other", tokens: 2, bytes: 5, jobs: [jobs[1]], pieces: [] } as never,
    ]);
  });

  test("formBatches lets equal texts share a slot across a full batch", () => {
    const jobs = jobsOf(["same", "b", "c", "same"]);
    const { batches } = formBatches(jobs, { maxItems: 1 });
    expect(batches.map(textsOf)).toEqual([["same"], ["b"], ["c"]]);
    expect(batches[0]?.slots[0]?.jobs).toEqual([jobs[0], jobs[3]] as never);
  });

  test("formBatches counts a shared text once", () => {
    expect(batched(["12345", "12345", "123"], { maxBytes: 8 })).toEqual([["12345", "123"]]);
  });

  test("formBatches takes texts that differ in Unicode form as different", () => {
    expect(batched(["\u00e9", "e\u0301"], {})).toEqual([["\u00e9", "e\u0301"]]);
  });

  test("formBatches takes names of object properties as any other text", () => {
    expect(batched(["__proto__", "constructor", "__proto__"], {})).toEqual([
      ["__proto__", "constructor"],
    ]);
  });

  test("formBatches leaves the jobs as they were", () => {
    const one = Object.freeze(job(1));
    const { batches } = formBatches(Object.freeze([one]), {});
    expect(batches[0]?.slots[0]?.jobs[0]).toBe(one);
  });
});

describe("sizes of texts", () => {
  const samples = ["", "a", "é", "߿", "ࠀ", "€", "\uffff", "😀", "a😀é€", "\ud7ff\ue000"];

  test.each(samples)("utf8Length of %p is the length of its bytes", (text) => {
    expect(utf8Length(text)).toBe(new TextEncoder().encode(text).length);
  });

  test("estimateTokens rounds up", () => {
    expect(["", "a", "1234", "12345", "😀😀"].map(estimateTokens)).toEqual([0, 1, 1, 2, 2]);
  });
});
