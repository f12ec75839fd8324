// Bytes become rows, however they are cut.

import { expect, test } from "bun:test";
import { CsvReader } from "../../src/cli/input/csv.ts";
import { jsonLines, plainLines } from "../../src/cli/input/jsonl.ts";
import type { RowReader } from "../../src/cli/input/rows.ts";

const MAX = 1000;

/** Every row in short: its lines, and a field of it or what is wrong. */
function read(reader: RowReader, input: string | Uint8Array, size: number, name = "text") {
  const bytes = typeof input === "string" ? new TextEncoder().encode(input) : input;
  const rows = [];
  for (let at = 0; at < bytes.length; at += size) {
    // The same memory is filled again, as some readers do.
    const chunk = Uint8Array.from(bytes.subarray(at, at + size));
    rows.push(...reader.read(chunk));
    chunk.fill(0x58);
  }
  rows.push(...reader.end());
  return rows.map((row) => [
    row.line === row.endLine ? row.line : `${row.line}-${row.endLine}`,
    "problem" in row ? row.problem.words : row.field(name),
  ]);
}

const csv = (delimiter = ",", maxBytes = MAX) =>
  new CsvReader({ delimiter, maxBytes, onHeader: () => {} });

test.each([1, 2, 3, 7, 1000])("lines are the same in chunks of %p bytes", (size) => {
  const input = "\uFEFFeins\r\n\n zwei \nüñí 💡 漢字\r\n  \nno \uFFFD fault\nlast";
  expect(read(plainLines(MAX), input, size)).toEqual([
    [1, "eins"],
    [3, " zwei "],
    [4, "üñí 💡 漢字"],
    [6, "no \uFFFD fault"],
    [7, "last"],
  ]);
});

test.each([1, 5, 1000])(
  "a line that is not UTF-8 harms no other, in chunks of %p bytes",
  (size) => {
    const bad = Uint8Array.of(0x61, 0xff, 0x0a);
    const input = Uint8Array.of(0x78, 0x0a, ...bad, 0xc3, 0xa9, 0x0a);
    const rows = [
      [1, "x"],
      [2, "is not UTF-8"],
      [3, "é"],
    ];
    expect(read(plainLines(MAX), input, size)).toEqual(rows);
  },
);

test.each([1, 9, 64, 10_000])(
  "a line that is too long is passed over, in chunks of %p bytes",
  (size) => {
    const input = `${"a".repeat(20)}\n${"b".repeat(21)}\r\n${"ü".repeat(11)}\nc\n${"d".repeat(500)}`;
    const words = "is longer than --max-line-bytes (20)";
    expect(read(plainLines(20), input, size)).toEqual([
      [1, "a".repeat(20)],
      [2, words],
      [3, words],
      [4, "c"],
      [5, words],
    ]);
  },
);

test("no input, and input of line breaks alone, have no rows", () => {
  for (const input of ["", "\n", "\r\n\n", "\uFEFF\n"]) {
    expect(read(plainLines(MAX), input, 10)).toEqual([]);
    expect(read(jsonLines(MAX), input, 10)).toEqual([]);
  }
});

test("what is no JSON object is told apart, and shows nothing of the line", () => {
  const deep = "[".repeat(900);
  const input = `{"text":"a"}\nsecret\n[1]\n7\nnull\n${deep}\n{"text":"b"}`;
  expect(read(jsonLines(MAX), input, 100)).toEqual([
    [1, "a"],
    [2, "is not JSON"],
    [3, "is a JSON array: one object a line is wanted (jq -c '.[]' makes them)"],
    [4, "is JSON, but no object"],
    [5, "is JSON, but no object"],
    [6, "is not JSON"],
    [7, "b"],
  ]);
});

test("fields of JSON: by their whole name first, then by the way into nested ones, never inherited", () => {
  const input = '{"a.b":"whole","a":{"b":"nested","c":["x","y"]}}';
  const one = (name: string) => read(jsonLines(MAX), input, 99, name)[0]?.[1];
  expect(["a.b", "a.c.1", "a.d", "a.b.length", "constructor", "__proto__.x"].map(one)).toEqual([
    "whole",
    "y",
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

test.each([1, 2, 5, 1000])(
  "CSV: quotes, delimiters and line breaks in fields, in chunks of %p",
  (size) => {
    const input =
      '\uFEFFid,text\r\n1,plain\r\n2,"a ""quote"", a comma\r\nand ü"\r\n\r\n3,\r\n4,5" pipe\r\n5,""';
    expect(read(csv(), input, size)).toEqual([
      [2, "plain"],
      ["3-4", 'a "quote", a comma\nand ü'],
      [6, ""],
      [7, '5" pipe'],
      [8, ""],
    ]);
  },
);

test("CSV: a fault is reported with its lines, and no line is lost unsaid", () => {
  const stray = "has a quote in the wrong place (inside a quoted field it is written twice)";
  const input = [
    "id,text",
    "1",
    "2,a,b",
    '3,"x" y',
    "4,fine",
    '5,"open',
    '6,"ok"',
    "7,fine too",
    '8,"never closed',
    "9,fine as well",
  ].join("\n");
  expect(read(csv(), input, 7)).toEqual([
    [2, "has 1 fields where the header has 2"],
    [3, "has 3 fields where the header has 2"],
    [4, stray],
    [5, "fine"],
    ["6-7", stray],
    [8, "fine too"],
    [9, "has a quote that is not closed"],
    [10, "fine as well"],
  ]);
});

test("CSV: a quote that is never closed takes no more than a record may have", () => {
  const input = `id,text\n1,"open\n${"2,two\n".repeat(30)}`;
  const rows = read(csv(",", 60), input, 16);
  expect(rows[0]).toEqual([2, "has a quote that is not closed"]);
  expect(rows.slice(1)).toEqual(Array.from({ length: 30 }, (_, i) => [i + 3, "two"]));
});

test("CSV with other delimiters, also longer ones", () => {
  expect(read(csv("\t"), 'id\ttext\n1\t"a\tb"\n', 3)).toEqual([[2, "a\tb"]]);
  expect(read(csv("||"), 'id||text\n1||a|b\n"2"||"c"\n', 3)).toEqual([
    [2, "a|b"],
    [3, "c"],
  ]);
});
