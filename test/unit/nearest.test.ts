// Which name somebody may have meant.

import { expect, test } from "bun:test";
import { nearest } from "../../src/model/nearest.ts";

const KNOWN = ["timeoutMs", "signal", "limit", "tokensPerMinute", "outputDimensionality", "apiKey"];

test.each([
  ["timeout", "timeoutMs"],
  ["limt", "limit"],
  ["Limit", "limit"],
  ["tokensPerMin", "tokensPerMinute"],
  ["apikey", "apiKey"],
  ["dimensions", "outputDimensionality"],
])("%s is near %s", (name, meant) => {
  expect(nearest(name, KNOWN)).toBe(meant);
});

test.each(["", "x", "url", "colour", "constructor", "toString", "__proto__", "wait"])(
  "%p is near none",
  (name) => {
    expect(nearest(name, KNOWN)).toBeUndefined();
  },
);

test("a synonym is named only where it is known", () => {
  expect(nearest("url", ["baseUrl"])).toBe("baseUrl");
  expect(nearest("url", ["redis"])).toBe("redis");
  expect(nearest("dimensions", ["model"])).toBeUndefined();
});

test("nothing is near where nothing is known", () => {
  expect(nearest("limit", [])).toBeUndefined();
});
