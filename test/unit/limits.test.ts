// What a worker knows of the provider's limits: stated first, lowered by refusals, never raised.

import { expect, test } from "bun:test";
import { CallLimits } from "../../src/limits.ts";
import { jobsOf, numberedTexts, slotOf } from "./builders.ts";

const slots = (count: number) => jobsOf(numberedTexts(count)).map((job) => slotOf(job.text, [job]));

test("a refused call halves the limit that it exceeded, and no other", () => {
  const limits = new CallLimits({ maxItems: 100, maxTokens: 1000, maxBytes: 10_000 });
  expect(limits.lower("items", slots(60))).toBe(30);
  expect(limits.lower("tokens", slots(60))).toBe(30);
  expect(limits.current).toEqual({ maxItems: 30, maxTokens: 30, maxBytes: 10_000 });
});

test("a limit that nobody stated is learned", () => {
  const limits = new CallLimits({});
  expect(limits.lower("bytes", slots(10))).toBe(30);
  expect(limits.current).toEqual({ maxBytes: 30 });
});

test("a refusal of a larger call changes nothing where the limit is lower already", () => {
  const limits = new CallLimits({ maxItems: 10 });
  expect(limits.lower("items", slots(60))).toBeUndefined();
  expect(limits.current).toEqual({ maxItems: 10 });
});

test("a limit never falls below one", () => {
  const limits = new CallLimits({ maxItems: 2 });
  expect(limits.lower("items", slots(1))).toBe(1);
  expect(limits.lower("items", slots(1))).toBeUndefined();
});
