// What a worker knows of the provider's limits: stated first, lowered by refusals, tried again later.

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

/** So many calls that fill the limit pass. */
function pass(limits: CallLimits, calls: number): void {
  for (let i = 0; i < calls; i++) limits.passed(slots(limits.current.maxItems ?? 50));
}

test("what was lowered is tried again after many calls that passed, up to what is stated", () => {
  const limits = new CallLimits({ maxItems: 100 });
  limits.lower("items", slots(60));
  pass(limits, 99);
  expect(limits.current).toEqual({ maxItems: 30 });
  pass(limits, 1);
  expect(limits.current).toEqual({ maxItems: 60 });
  pass(limits, 100);
  expect(limits.current).toEqual({ maxItems: 100 });
  pass(limits, 1000);
  expect(limits.current).toEqual({ maxItems: 100 });
});

test("each trial that fails doubles the time to the next one", () => {
  const limits = new CallLimits({ maxItems: 100 });
  limits.lower("items", slots(100));
  pass(limits, 100);
  expect(limits.lower("items", slots(100))).toBe(50);
  pass(limits, 199);
  expect(limits.current).toEqual({ maxItems: 50 });
  pass(limits, 1);
  expect(limits.current).toEqual({ maxItems: 100 });
});

test("calls that fill little of a limit prove nothing", () => {
  const limits = new CallLimits({ maxItems: 100 });
  limits.lower("items", slots(60));
  for (let i = 0; i < 1000; i++) limits.passed(slots(10));
  expect(limits.current).toEqual({ maxItems: 30 });
});

test("a limit that nobody states never rises above the default", () => {
  const limits = new CallLimits({});
  limits.lower("items", slots(50));
  pass(limits, 100);
  expect(limits.current).toEqual({});
});
