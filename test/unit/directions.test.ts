// A vector without a direction is none: it is nearest to nothing.

import { expect, test } from "bun:test";
import { checkVector } from "../../src/model/contract.ts";
import { hashing } from "../../src/providers/hashing.ts";

test.each([[[0, 0]], [[-0, 0]], [[1e-60, 0]], [new Float32Array(2)], [new Uint8Array(8)]])(
  "checkVector refuses %p",
  (vector) => {
    const error = checkVector(vector, 2);
    expect(error).toMatchObject({ code: "ERR_EMBEDDER_CONTRACT" });
    expect((error as Error).message).toContain("all zeros");
  },
);

test.each([[[0, 1e-40]], [[-1, 0]]])("checkVector takes %p", (vector) => {
  expect(checkVector(vector, 2)).toBeInstanceOf(Uint8Array);
});

test("hashing gives every text that is not blank a direction, however little it says", async () => {
  const signs = [
    "?",
    "...",
    "—",
    "😀",
    "👩‍👩‍👧",
    "a",
    "I",
    "北",
    "\u0301",
    "_",
    "0",
    "\ud800",
    "a a",
    "ß",
  ];
  // In few dimensions features cancel each other out.
  const words = Array.from({ length: 2000 }, (_, i) => `${i.toString(36)} ${(i * 7).toString(36)}`);
  for (const dimensions of [1, 2, 3, 256]) {
    const vectors = await hashing({ dimensions }).embed([...signs, ...words]);
    for (const vector of vectors)
      expect(checkVector(vector, dimensions)).toBeInstanceOf(Uint8Array);
  }
});
