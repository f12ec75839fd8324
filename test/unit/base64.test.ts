// Base64 to float32 bytes.

import { describe, expect, test } from "bun:test";
import { EmbedqError } from "../../src/model/errors.ts";
import { decodeVector } from "../../src/providers/base64.ts";

describe("decodeVector", () => {
  test.each([1, 2, 3, 4, 255, 1536, 4096])("gives the bytes of %i numbers", (dimensions) => {
    const bytes = Uint8Array.from({ length: dimensions * 4 }, (_, i) => (i * 37 + 11) % 256);
    const base64 = Buffer.from(bytes).toString("base64");
    expect(decodeVector(base64, dimensions)).toEqual(bytes);
    expect(decodeVector(base64.replaceAll("=", ""), dimensions)).toEqual(bytes);
  });

  const right = Buffer.alloc(16, 7).toString("base64");
  const wrong: [string, string][] = [
    ["nothing", ""],
    ["a number too few", Buffer.alloc(12).toString("base64")],
    ["a number too many", Buffer.alloc(20).toString("base64")],
    ["a byte too few", Buffer.alloc(15).toString("base64")],
    ["a quarter of the size", Buffer.alloc(4).toString("base64")],
    ["doubles", Buffer.alloc(32).toString("base64")],
    ["a blank in it", `${right.slice(0, 8)} ${right.slice(8)}`],
    ["a blank in the place of a digit", `${right.slice(0, 8)} ${right.slice(9)}`],
    ["a sign in the place of a digit", `!${right.slice(1)}`],
    ["an end in the middle", `${right.slice(0, 8)}=${right.slice(9)}`],
    ["a letter beyond ASCII", `é${right.slice(1)}`],
    ["a line break", `${right}\n`],
  ];
  test.each(wrong)("refuses %s", (_, base64) => {
    const error = decodeVector(base64, 4);
    expect(error).toBeInstanceOf(EmbedqError);
    expect((error as EmbedqError).message).toContain("must be 16 bytes (4 numbers)");
  });
});
