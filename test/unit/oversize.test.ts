// Texts that are cut to what fits.

import { describe, expect, test } from "bun:test";
import { estimateTokens, utf8Length } from "../../src/model/embedder.ts";
import { cutToPieces, cutToStart, type Room } from "../../src/model/oversize.ts";

const room = (tokens: number, bytes = Number.POSITIVE_INFINITY): Room => ({
  tokens,
  bytes,
  sizeOf: (text) => ({ tokens: estimateTokens(text), bytes: utf8Length(text) }),
});

describe("cutToStart", () => {
  test("keeps as much as fits, exactly", () => {
    expect(cutToStart("abcdefghij", room(2))).toBe("abcdefgh");
    expect(cutToStart("abcdefghij", room(100, 3))).toBe("abc");
    expect(cutToStart("x".repeat(100_000), room(5000))).toHaveLength(20_000);
  });

  test("does not send blanks in the place of a text", () => {
    expect(cutToStart(`${" ".repeat(100)}words`, room(1))).toBe("word");
  });

  test("never cuts a character in two", () => {
    expect(cutToStart("😀😀😀", room(100, 7))).toBe("😀");
    expect(cutToStart("a😀", room(100, 3))).toBe("a");
  });
});

describe("cutToPieces", () => {
  test("keeps every word, and every piece within the room", () => {
    const text = Array.from({ length: 3000 }, (_, i) => `word${i}é`).join(" ");
    const pieces = cutToPieces(text, room(100));
    expect(pieces.join(" ")).toBe(text);
    for (const piece of pieces) expect(estimateTokens(piece)).toBeLessThanOrEqual(100);
    // Cut between words costs little: the pieces are nearly full.
    expect(pieces.length).toBeLessThanOrEqual(Math.ceil((estimateTokens(text) / 100) * 1.05));
  });

  test("cuts through a word that is longer than a piece", () => {
    const pieces = cutToPieces("x".repeat(1000), room(25));
    expect(pieces.map(({ length }) => length)).toEqual(Array(10).fill(100));
  });

  test("leaves out pieces that would be blank", () => {
    const pieces = cutToPieces(`  one${" ".repeat(5000)}two `, room(10));
    expect(pieces).toEqual(["one", "two"]);
  });

  test("goes on where not even one character fits", () => {
    expect(cutToPieces("ab😀", room(100, 0))).toEqual(["a", "b", "😀"]);
  });
});
