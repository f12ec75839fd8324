// What producers may hand in.

import { describe, expect, test } from "bun:test";
import { checkItems, checkKey, checkTimeout, checkVersion } from "../../src/model/input.ts";
import { queueKeys } from "../../src/redis/keys.ts";
import { thrownBy } from "./builders.ts";

const RESERVED = queueKeys("embed_queue").reservedPrefix;

/** The message with which these items are refused. */
function refusal(items: unknown): string {
  const error = thrownBy(() => checkItems(items as [], RESERVED));
  expect(error).toMatchObject({ name: "EmbedqError", code: "ERR_INPUT_INVALID" });
  return (error as Error).message;
}

describe("items", () => {
  const good: [string, { key: string; text: string }][] = [
    ["plain", { key: "doc:1", text: "hello" }],
    ["a blank text", { key: "doc:1", text: "" }],
    ["letters of all planes", { key: "żółć:😀", text: "北京 😀 \0 \n" }],
    ["braces of another queue", { key: "{other}:pending", text: "x" }],
    ["the queue's name without the braces", { key: "embed_queue:pending", text: "x" }],
    ["a name of an object property", { key: "__proto__", text: "constructor" }],
  ];
  test.each(good)("checkItems takes %s", (_, item) => {
    expect(checkItems([item], RESERVED)).toBeUndefined();
  });

  test("checkItems takes no items", () => {
    expect(checkItems([], RESERVED)).toBeUndefined();
  });

  const bad: [string, unknown, string][] = [
    ["an empty key", { key: "", text: "x" }, "`key` of item 1"],
    ["a key that is a number", { key: 5, text: "x" }, "`key` of item 1"],
    ["a missing key", { text: "x" }, "`key` of item 1"],
    ["a key with a lone surrogate", { key: "a\ud800", text: "x" }, "`key` of item 1"],
    ["a key of the queue itself", { key: "{embed_queue}:pending", text: "x" }, "`key` of item 1"],
    ["a text that is a number", { key: "a", text: 5 }, "`text` of item 1"],
    ["a missing text", { key: "a" }, "`text` of item 1"],
    ["a text with a lone surrogate", { key: "a", text: "a\udc00b" }, "`text` of item 1"],
    ["null", null, "`key` of item 1"],
    ["nothing", undefined, "`key` of item 1"],
  ];
  test.each(bad)("checkItems refuses %s, and names the item", (_, item, where) => {
    expect(refusal([{ key: "doc:1", text: "fine" }, item])).toContain(where);
  });

  test("checkItems names the first of several bad items", () => {
    expect(refusal([{ key: "", text: "x" }, null])).toContain("item 0");
  });

  test("checkItems refuses a list with holes", () => {
    expect(refusal(new Array(2))).toContain("item 0");
  });

  test("checkItems refuses what is no list", () => {
    for (const items of [undefined, null, "texts", { length: 1 }, new Set()]) {
      expect(refusal(items)).toContain("an array of { key, text }");
    }
  });

  test("checkItems shows keys, but never a text", () => {
    expect(refusal([{ key: "{embed_queue}:x", text: "a secret text" }])).not.toContain("secret");
    expect(refusal([{ key: "a", text: "a secret text\ud800" }])).not.toContain("secret");
    expect(refusal([{ key: "{embed_queue}:x", text: "y" }])).toContain('"{embed_queue}:x"');
  });
});

describe("keys, versions and times", () => {
  test("checkKey returns the key", () => {
    expect(checkKey("doc:1")).toBe("doc:1");
  });

  test.each(["", "\udfff", 5, null, undefined])("checkKey refuses %p", (key) => {
    expect(thrownBy(() => checkKey(key))).toMatchObject({ code: "ERR_INPUT_INVALID" });
  });

  test.each([1, Number.MAX_SAFE_INTEGER])("checkVersion returns %p", (version) => {
    expect(checkVersion(version)).toBe(version);
  });

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, "1", 1n, null, undefined])(
    "checkVersion refuses %p",
    (version) => {
      expect(thrownBy(() => checkVersion(version))).toMatchObject({ code: "ERR_INPUT_INVALID" });
    },
  );

  test.each([0, 0.5, 1000, Number.POSITIVE_INFINITY])("checkTimeout returns %p", (timeoutMs) => {
    expect(checkTimeout(timeoutMs)).toBe(timeoutMs);
  });

  test.each([-1, Number.NaN, "5", null, undefined])("checkTimeout refuses %p", (timeoutMs) => {
    const error = thrownBy(() => checkTimeout(timeoutMs));
    expect(error).toMatchObject({ code: "ERR_INPUT_INVALID" });
    expect((error as Error).message).toContain("`timeoutMs` as it must be a number from 0");
  });
});
