// How many columns a text takes, and cutting it to fit.

import { expect, test } from "bun:test";
import { fit, padded, widthOf } from "../../src/cli/width.ts";

test.each([
  ["", 0],
  ["plain", 5],
  ["naïve", 5],
  ["e\u0301", 1],
  ["日本語", 6],
  ["한국", 4],
  ["ｆｕｌｌ", 8],
  ["🚫", 2],
  ["👩‍👩‍👧‍👦", 2],
  ["❤️", 2],
  ["🇩🇪", 2],
  ["क्षि", 1],
  ["a\u200bb", 2],
  ["− – …", 5],
])("widthOf(%p) is %p", (text, width) => {
  expect(widthOf(text)).toBe(width);
});

test.each([
  ["plain", 5, "plain"],
  ["plain text", 6, "plain…"],
  ["日本語の文", 10, "日本語の文"],
  ["日本語の文", 9, "日本語の…"],
  // Half a letter is none: the room that is left stays empty.
  ["日本語の文", 8, "日本語…"],
  ["a👩‍👩‍👧‍👦b", 3, "a…"],
  ["any", 0, ""],
  ["any", 1, "…"],
])("fit(%p, %p) is %p", (text, columns, cut) => {
  expect(fit(text, columns)).toBe(cut);
  expect(widthOf(fit(text, columns))).toBeLessThanOrEqual(columns);
});

test("padded() takes the same columns whatever the letters", () => {
  for (const text of ["日本", "ab", "日本語の文", "", "🚫"]) {
    expect(widthOf(padded(text, 6))).toBe(6);
    expect(widthOf(padded(text, 6, "right"))).toBe(6);
  }
  expect(padded("12", 4, "right")).toBe("  12");
});
