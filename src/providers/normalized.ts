// Vectors scaled to length 1.

import { fromVectorBytes } from "../model/vector.ts";
import type { Placed } from "./replies.ts";

/** The vector with length 1; unchanged where it has none, or is no vector at all. */
export function normalized(vector: Placed): Placed {
  if (vector instanceof Error) return vector;
  const numbers = vector instanceof Uint8Array ? fromVectorBytes(vector) : vector;
  // In double precision: each number is rounded once.
  let sum = 0;
  for (const number of numbers) {
    // Left as it is for the check of all vectors, which names it.
    if (typeof number !== "number") return vector;
    sum += number * number;
  }
  const length = Math.sqrt(sum);
  if (length === 0 || !Number.isFinite(length)) return vector;
  return Float32Array.from(numbers, (number) => number / length);
}
