// The one vector of a query's reply, checked, as numbers.

import { checkResults, checkVector } from "../model/contract.ts";
import type { EmbedReply } from "../model/embedder.ts";
import { fromVectorBytes } from "../model/vector.ts";

/** @throws What the provider gave in the place of the vector, or what is wrong with it. */
export function toFloats(reply: EmbedReply, dimensions: number): Float32Array {
  const [result] = checkResults(reply, 1);
  if (result === undefined || result instanceof Error) throw result;
  const vector = checkVector(result, dimensions);
  if (vector instanceof Error) throw vector;
  return fromVectorBytes(vector);
}
