// What producers may hand in.

import { describe, expect, test } from "bun:test";
import {
  checkBounds,
  checkEnqueueOptions,
  checkItems,
  checkKey,
  checkLetterIds,
  checkLetterQuery,
  checkVersion,
} from "../../src/model/input.ts";
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

  test.each(["1700000000000-0", "0-1"])("checkLetterIds takes the ID %p", (id) => {
    expect(checkLetterIds([id])).toEqual([id]);
  });

  test.each(["1700", "", 5, null])("checkLetterIds refuses the ID %p, and shows it", (id) => {
    const error = thrownBy(() => checkLetterIds(["0-1", id]));
    expect(error).toMatchObject({ code: "ERR_INPUT_INVALID" });
    expect((error as Error).message).toEndWith(`: it is ${JSON.stringify(id)}`);
  });

  test("checkLetterIds refuses one ID in the place of a list", () => {
    const error = thrownBy(() => checkLetterIds("1700000000000-0"));
    expect(error).toMatchObject({ code: "ERR_INPUT_INVALID" });
    expect((error as Error).message).toContain("must be an array");
  });
});

describe("the options of a call", () => {
  const { signal } = new AbortController();

  test("checkBounds takes what is documented, and nothing at all", () => {
    expect(checkBounds(undefined)).toEqual({});
    for (const timeoutMs of [0, 0.5, 1000, Number.POSITIVE_INFINITY, undefined]) {
      expect(checkBounds({ timeoutMs, signal })).toEqual({ timeoutMs, signal });
    }
  });

  const wrong: [unknown, string][] = [
    [{ timeout: 50 }, "`timeout` as it is not an option: did you mean `timeoutMs`?"],
    [{ until: 50 }, "`until` as it is not an option: there are `timeoutMs`, `signal`"],
    [{ timeoutMs: -1 }, "`timeoutMs` as it must be a number from 0: it is -1"],
    [{ timeoutMs: Number.NaN }, "`timeoutMs` as it must be a number from 0: it is NaN"],
    [{ timeoutMs: "5" }, '`timeoutMs` as it must be a number from 0: it is "5"'],
    [{ timeoutMs: null }, "`timeoutMs` as it must be a number from 0: it is null"],
    [{ signal: new AbortController() }, "`signal` as it must be an AbortSignal: it is an object"],
    [50, "the options as they must be an object: they are 50"],
    ["5s", "the options as they must be an object: they are a text"],
    [null, "the options as they must be an object: they are null"],
  ];
  test.each(wrong)("checkBounds refuses %p", (options, found) => {
    const error = thrownBy(() => checkBounds(options as object));
    expect(error).toMatchObject({ code: "ERR_OPTION_INVALID" });
    expect((error as Error).message).toBe(
      `Cannot use ${found.startsWith("`") ? "the option " : ""}${found}`,
    );
  });

  test("checkEnqueueOptions takes a signal only", () => {
    expect(checkEnqueueOptions({ signal })).toEqual({ signal });
    const error = thrownBy(() => checkEnqueueOptions({ timeoutMs: 5 } as object));
    expect(error).toMatchObject({ code: "ERR_OPTION_INVALID" });
  });

  test("checkLetterQuery shows the value that it refuses", () => {
    expect(checkLetterQuery({ limit: 1, after: "1-0" })).toEqual({ limit: 1, after: "1-0" });
    const message = (query: object) =>
      (thrownBy(() => checkLetterQuery(query)) as Error).message.replace(
        "Cannot use the option ",
        "",
      );
    expect(message({ limit: 0 })).toBe("`limit` as it must be at least 1: it is 0");
    expect(message({ limt: 1 })).toBe("`limt` as it is not an option: did you mean `limit`?");
    expect(message({ after: "x" })).toBe('`after` as it must be like 1700000000000-0: it is "x"');
  });
});
