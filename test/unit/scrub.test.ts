// Messages that can be shown.

import { expect, test } from "bun:test";
import { scrub } from "../../src/model/scrub.ts";

const credentials: [string, string][] = [
  ["Incorrect API key provided: sk-proj-abc123def.", "Incorrect API key provided: ***"],
  ["key sk-or-v1-0123456789 is off", "key *** is off"],
  ["Incorrect key sk-ab****wxyz", "Incorrect key ***"],
  ["got Authorization: Bearer abc.def-ghi here", "got Authorization: Bearer *** here"],
  ["POST https://x/v1?key=AIzaSyABCDEFGH&alt=json", "POST https://x/v1?key=***&alt=json"],
  ["AIzaSyABCDEFGHIJKL is not valid", "*** is not valid"],
  ['{"api_key": "0123456789"}', '{"api_key": "***"}'],
  ["API key: 0123456789", "API key: ***"],
];
test.each(credentials)("of %p is shown %p", (message, shown) => {
  expect(scrub(message)).toBe(shown);
});

test.each([
  "API key not valid. Please pass a valid API key.",
  "the risk-free rate",
  "task-1234567",
])("%p is shown as it is", (message) => {
  expect(scrub(message)).toBe(message);
});

test("a secret and a text that are known are never shown, whatever their form", () => {
  const hidden = { secrets: ["plain word"], texts: ["a text of some length"] };
  expect(scrub("plain word: a text of some length!", hidden)).toBe("***: <text>!");
});

test("what is too short to be told from a word stays", () => {
  expect(scrub("no word", { secrets: ["no"], texts: ["word"] })).toBe("no word");
});

test("a message is one line, and has an end", () => {
  expect(scrub("  one\n\ttwo\u0000three ")).toBe("one two three");
  expect(scrub("x".repeat(100_000))).toHaveLength(500);
});
