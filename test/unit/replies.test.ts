// Reading what Redis answers.

import { describe, expect, test } from "bun:test";
import {
  asBytes,
  asFlatStrings,
  asList,
  asNumber,
  asText,
  type Reply,
} from "../../src/redis/replies.ts";
import { thrownBy } from "./builders.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** The message of the broken reply. */
function broken(read: (reply: Reply | undefined) => unknown, reply: unknown): string {
  const error = thrownBy(() => read(reply as Reply));
  expect(error).toMatchObject({ name: "EmbedqError", code: "ERR_REDIS_REPLY" });
  return (error as Error).message;
}

describe("text", () => {
  test("asText reads text and UTF-8 bytes alike", () => {
    expect(asText("żółć")).toBe("żółć");
    expect(asText(bytes("żółć"))).toBe("żółć");
    expect(asText(Buffer.from("żółć"))).toBe("żółć");
    expect(asText("")).toBe("");
  });

  test("asText keeps a byte order mark: it is part of the key or the text", () => {
    expect(asText(bytes("\ufeffkey"))).toBe("\ufeffkey");
  });

  test("asText refuses anything else, and says what it is", () => {
    expect(broken(asText, 5)).toContain("must be text: it is number");
    expect(broken(asText, null)).toContain("must be text: it is nil");
    expect(broken(asText, undefined)).toContain("must be text: it is undefined");
    expect(broken(asText, ["a"])).toContain("must be text: it is a list");
  });
});

describe("numbers", () => {
  test("asNumber reads numbers, and numbers in text or bytes", () => {
    expect([5, "5", bytes("5"), "-1", "1.5", 0].map((reply) => asNumber(reply))).toEqual([
      5, 5, 5, -1, 1.5, 0,
    ]);
  });

  test.each(["", " ", "many", "nan", "inf", "Infinity", "5 apples"])(
    "asNumber refuses %p",
    (reply) => {
      expect(broken(asNumber, reply)).toContain("must be a number: it is string");
    },
  );

  test("asNumber refuses nil and lists", () => {
    for (const reply of [null, undefined, [], [5]]) broken(asNumber, reply);
  });
});

describe("lists and bytes", () => {
  test("asList gives the list itself", () => {
    const list: Reply = ["a", 1, null, ["b"]];
    expect(asList(list)).toBe(list);
  });

  test("asList refuses anything else", () => {
    for (const reply of ["a", 5, null, undefined, bytes("a")]) {
      expect(broken(asList, reply)).toContain("must be a list");
    }
  });

  test("asFlatStrings reads a list of text and bytes", () => {
    expect(asFlatStrings(["a", bytes("b")])).toEqual(["a", "b"]);
    expect(asFlatStrings([])).toEqual([]);
  });

  test("asFlatStrings refuses a list in the list, and a gap", () => {
    expect(broken(asFlatStrings, ["a", ["b"]])).toContain("it is a list");
    expect(broken(asFlatStrings, ["a", null])).toContain("it is nil");
  });

  test("asBytes gives bytes unchanged, and never makes them of text", () => {
    const vector = new Uint8Array([0xff, 0xfe]);
    expect(asBytes(vector)).toBe(vector);
    expect(broken(asBytes, "ab")).toContain("must be bytes: it is string");
    expect(broken(asBytes, null)).toContain("it is nil");
  });
});
