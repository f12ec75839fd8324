// How long a failed text waits.

import { expect, test } from "bun:test";
import { backoffMs, DEFAULT_BACKOFF } from "../../src/model/backoff.ts";

const ALMOST_ONE = 1 - Number.EPSILON;
const backoff = { baseMs: 100, factor: 3, maxMs: 2000 };

test("backoffMs grows by the factor from one attempt to the next", () => {
  const waits = [1, 2, 3].map((attempt) => backoffMs(backoff, attempt, 0.5));
  expect(waits).toEqual([50, 150, 450]);
});

test("backoffMs stays below the longest wait, however many attempts", () => {
  for (const attempt of [4, 10, 1000, 1_000_000]) {
    expect(backoffMs(backoff, attempt, ALMOST_ONE)).toBe(1999);
  }
});

test("backoffMs spreads over the whole wait", () => {
  expect(backoffMs(backoff, 1, 0)).toBe(0);
  expect(backoffMs(backoff, 1, ALMOST_ONE)).toBe(99);
});

test("backoffMs takes a longest wait below the first one at its word", () => {
  expect(backoffMs({ baseMs: 5000, factor: 2, maxMs: 10 }, 1, 0.5)).toBe(5);
});

test("backoffMs does not wait where the base is zero, whatever the factor and the attempt", () => {
  for (const factor of [1, 2, 1e308, Number.POSITIVE_INFINITY]) {
    for (const attempt of [1, 2, 5000]) {
      expect(backoffMs({ baseMs: 0, factor, maxMs: 1000 }, attempt, 0.5)).toBe(0);
    }
  }
});

test("backoffMs by default waits up to 1, 2, 4 … 30 seconds", () => {
  const waits = [1, 2, 3, 4, 5, 6, 7].map(
    (attempt) => 2 * backoffMs(DEFAULT_BACKOFF, attempt, 0.5),
  );
  expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
});
