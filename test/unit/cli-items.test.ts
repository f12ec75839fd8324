// Keys and texts out of rows: fields, templates, and what is refused.

import { expect, test } from "bun:test";
import { UsageError } from "../../src/cli/errors.ts";
import { type ItemOptions, itemMaker } from "../../src/cli/input/items.ts";
import { jsonLines } from "../../src/cli/input/jsonl.ts";
import type { Row } from "../../src/cli/input/rows.ts";

type Options = Partial<ItemOptions>;

function rowOf(value: unknown): Row {
  const bytes = new TextEncoder().encode(`\n${JSON.stringify(value)}\n`);
  return jsonLines(10_000).read(bytes)[0] as Row;
}

const NONE = {
  keyField: undefined,
  keyTemplate: undefined,
  textField: undefined,
  textTemplate: undefined,
  queueName: "q",
};

/** What becomes of a row: [key, text], or what is wrong. */
function itemOf(value: unknown, options: Options = {}): unknown {
  const item = itemMaker("jsonl", { ...NONE, ...options }).of(rowOf(value));
  return "problem" in item ? item.problem.words : [item.key, item.text];
}

test("keys and texts come from fields, or are made of them", () => {
  expect(itemOf({ key: "a", text: "b" })).toEqual(["a", "b"]);
  expect(itemOf({ key: 7, text: "" })).toEqual(["7", ""]);
  const nested = { meta: { id: 7 }, title: "T", body: "" };
  const made = { keyTemplate: "{{{meta.id}}}:{line}", textTemplate: "{title}\\n{body}" };
  expect(itemOf(nested, made)).toEqual(["{7}:2", "T\n"]);
  const sha = "9834876dcfb05cb167a5c24953eba58c4ac89b1adf57f28f2f9d09af107ee8f0";
  expect(itemOf({ text: "aaa" }, { keyTemplate: "d:{sha256}" })).toEqual([`d:${sha}`, "aaa"]);
  expect(itemOf({ line: "L", text: "t" }, { keyTemplate: "{.line}" })).toEqual(["L", "t"]);
});

test.each([
  [{ text: "b" }, {}, 'has no field "key"; it has text'],
  [{ key: " ", text: "b" }, {}, 'has an empty field "key"'],
  [{ key: null, text: "b" }, {}, 'has null in "key" where a text or a number is wanted'],
  [{ key: "a", text: 7 }, {}, 'has a number in "text" where a text is wanted'],
  [{ key: "a", text: ["b"] }, {}, 'has a list in "text" where a text is wanted'],
  [
    { key: 2 ** 60, text: "b" },
    {},
    'has a number in "key" that is too large to be exact: put it in quotes',
  ],
  [{ key: "\ud800", text: "b" }, {}, "has half a character in its key"],
  [{ key: "a", text: "\udc00" }, {}, "has half a character in its text"],
  [
    { key: "{q}:pending", text: "b" },
    {},
    "has a key of the queue itself, which is no place for a vector",
  ],
  [{ id: "", text: "b" }, { keyTemplate: "d:{id}" }, 'has an empty field "id"'],
  [
    { line: 1, text: "b" },
    { keyTemplate: "{line}" },
    'has a field "line" of its own: write {.line} for it',
  ],
  [
    { key: "a", title: null },
    { textTemplate: "{title}" },
    'has null in "title" where a text or a number is wanted',
  ],
] as const)("%j with %j: what is wrong is said", (value, options, words) => {
  expect(itemOf(value, options)).toBe(words);
});

test.each([
  ["jsonl", { keyTemplate: "doc" }, "--key-template must hold a field in braces"],
  ["jsonl", { keyTemplate: "doc:{id" }, "--key-template has a { without its pair"],
  ["jsonl", { keyTemplate: "doc:{}" }, "--key-template has braces without a field"],
  ["jsonl", { keyTemplate: "{a}", keyField: "a" }, "--key-field or --key-template, not both"],
  ["jsonl", { textTemplate: "{line}" }, "--text-template can hold fields only"],
  ["lines", {}, "--key-template 'doc:{line}'"],
  ["lines", { keyTemplate: "{id}" }, 'Plain lines have no field "id"'],
] as const)("%s with %j is refused as a call", (format, options, words) => {
  const make = () => itemMaker(format, { ...NONE, ...options });
  expect(make).toThrow(UsageError);
  expect(make).toThrow(words);
});
