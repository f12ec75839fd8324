// Vectors and their bytes.

import { describe, expect, test } from "bun:test";
import {
  decodeEmbedding,
  encodeEmbedding,
  fromVectorBytes,
  toVectorBytes,
  zeroVectorBytes,
} from "../../src/model/vector.ts";
import { bytesOf } from "./builders.ts";

/** Bytes at an offset where no float may begin. */
function unaligned(bytes: Uint8Array): Uint8Array {
  const shifted = new Uint8Array(bytes.length + 1);
  shifted.set(bytes, 1);
  return shifted.subarray(1);
}

describe("toVectorBytes", () => {
  test("toVectorBytes writes little-endian float32", () => {
    expect([...toVectorBytes([1, -2])]).toEqual([0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]);
  });

  test("toVectorBytes rounds numbers to float32", () => {
    expect(toVectorBytes([0.1, 1 / 3, 16_777_217])).toEqual(
      bytesOf(Math.fround(0.1), Math.fround(1 / 3), 16_777_216),
    );
  });

  test("toVectorBytes takes exactly the part that a Float32Array shows", () => {
    const whole = new Float32Array([1, 2, 3, 4]);
    expect(toVectorBytes(whole.subarray(1, 3))).toEqual(bytesOf(2, 3));
  });

  test("toVectorBytes leaves bytes as they are", () => {
    const bytes = bytesOf(1);
    expect(toVectorBytes(bytes)).toBe(bytes);
  });

  test("toVectorBytes makes no bytes of no numbers", () => {
    expect(toVectorBytes([])).toHaveLength(0);
  });
});

describe("fromVectorBytes", () => {
  test("fromVectorBytes reads little-endian float32", () => {
    expect([...fromVectorBytes(bytesOf(1.5, -2))]).toEqual([1.5, -2]);
  });

  test("fromVectorBytes reads bytes that begin anywhere", () => {
    expect([...fromVectorBytes(unaligned(bytesOf(1.5, -2)))]).toEqual([1.5, -2]);
  });

  test("fromVectorBytes reads a Buffer that begins anywhere, as node-redis hands them over", () => {
    const pooled = Buffer.from(unaligned(bytesOf(1.5, -2)).buffer).subarray(1);
    expect([...fromVectorBytes(pooled)]).toEqual([1.5, -2]);
  });

  test.each([
    ["a Uint8Array", (bytes: Uint8Array) => bytes],
    ["a Buffer", (bytes: Uint8Array) => Buffer.from(bytes.buffer)],
  ])("fromVectorBytes has memory of its own: %s may change", (_, form) => {
    const bytes = form(bytesOf(1.5));
    const vector = fromVectorBytes(bytes);
    bytes.fill(0);
    expect([...vector]).toEqual([1.5]);
    vector[0] = 9;
    expect([...bytes]).toEqual([0, 0, 0, 0]);
  });

  test("fromVectorBytes and toVectorBytes keep every bit: -0, NaN payloads, the smallest numbers", () => {
    // Quiet NaNs: a signalling one may be made quiet by the processor.
    const patterns = [0x80000000, 0x7fc00001, 0xffc12345, 0x7f800000, 0x00000001, 0x7f7fffff];
    const bytes = new Uint8Array(patterns.length * 4);
    const view = new DataView(bytes.buffer);
    for (const [i, bits] of patterns.entries()) view.setUint32(i * 4, bits, true);
    expect(toVectorBytes(fromVectorBytes(bytes))).toEqual(bytes);
    expect(Object.is(fromVectorBytes(bytes)[0], -0)).toBe(true);
  });

  test("fromVectorBytes makes no numbers of no bytes", () => {
    expect(fromVectorBytes(new Uint8Array(0))).toHaveLength(0);
  });
});

test("zeroVectorBytes is a vector of zeros", () => {
  expect(zeroVectorBytes(3)).toEqual(bytesOf(0, 0, 0));
});

describe("decodeEmbedding", () => {
  test("decodeEmbedding reads bytes that begin anywhere, in memory of its own", () => {
    const bytes = unaligned(bytesOf(1.5, -2));
    const vector = decodeEmbedding(bytes);
    bytes.fill(0);
    expect([...vector]).toEqual([1.5, -2]);
  });

  test("decodeEmbedding refuses text, and bytes that are no whole number of float32", () => {
    const text = () => decodeEmbedding("\u0000\u0000" as unknown as Uint8Array);
    expect(text).toThrow("it must be bytes, a Uint8Array or Buffer: it is a text");
    expect(() => decodeEmbedding(new Uint8Array(5))).toThrow("4 bytes for each number: it has 5");
    expect(() => decodeEmbedding(new Uint8Array(0))).toThrow("it has 0");
  });
});

describe("encodeEmbedding", () => {
  test.each([
    ["a list", [1.5, -2]],
    ["a Float32Array", new Float32Array([1.5, -2])],
    ["a Float64Array", new Float64Array([1.5, -2])],
  ])("encodeEmbedding gives the bytes of %s in memory of their own", (_, vector) => {
    const bytes = encodeEmbedding(vector);
    vector[0] = 9;
    expect(bytes).toEqual(bytesOf(1.5, -2));
  });

  test("encodeEmbedding names a number that is not finite as a float32", () => {
    expect(() => encodeEmbedding([1, Number.NaN])).toThrow("number 1 of 2 is not");
    expect(() => encodeEmbedding([1e300])).toThrow("number 0 of 1 is not");
  });

  test("encodeEmbedding refuses what is no list of numbers", () => {
    expect(() => encodeEmbedding(new Uint8Array(4) as never)).toThrow("a list of numbers");
    expect(() => encodeEmbedding("1, 2" as never)).toThrow("it is a text");
    expect(() => encodeEmbedding(["1"] as never)).toThrow("number 0 of 1 is not");
    expect(() => encodeEmbedding([])).toThrow("list of numbers");
  });
});
