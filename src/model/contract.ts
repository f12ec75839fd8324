// What an embedder owes: one result for each text, each a vector of the right size with finite
// numbers that are not all zero. Nothing is zipped silently.

import type { EmbedReply, EmbedResult } from "./embedder.ts";
import { EmbedqError } from "./errors.ts";
import { isCount } from "./usage.ts";
import { FLOAT_BYTES, numbersOf, toVectorBytes, zeroVectorBytes } from "./vector.ts";

/**
 * The results of a reply, one for each of `count` texts.
 *
 * @throws {EmbedqError} `ERR_EMBEDDER_CONTRACT`.
 */
export function checkResults(
  reply: readonly EmbedResult[] | EmbedReply,
  count: number,
): readonly EmbedResult[] {
  const wrapped = (reply as Partial<EmbedReply> | undefined)?.results;
  const results = wrapped ?? (reply as readonly EmbedResult[]);
  if (Array.isArray(results) && results.length === count) return results;
  const found = Array.isArray(results) ? String(results.length) : typeof results;
  throw contractError(`must return one result for each of ${count} texts`, found);
}

/** The tokens that a reply reports; undefined where it says nothing that can be one. */
export function reportedTokens(reply: readonly EmbedResult[] | EmbedReply): number | undefined {
  const tokens = (reply as Partial<EmbedReply> | undefined)?.usage?.tokens;
  return isCount(tokens) ? tokens : undefined;
}

/**
 * The bytes of a vector of the right size, finite and not zero, or the error to charge.
 *
 * @param into Where they are copied to: an embedder may use its memory again for the next call.
 */
export function checkVector(
  result: Exclude<EmbedResult, Error>,
  dimensions: number,
  into: Uint8Array = zeroVectorBytes(dimensions),
): Uint8Array | EmbedqError {
  const isTyped = result instanceof Uint8Array || result instanceof Float32Array;
  if (!isTyped && !Array.isArray(result)) {
    return contractError("must return a vector or an error", typeof result);
  }
  // Float32Array.from would make a zero of null, and a number of "1".
  const odd = isTyped ? undefined : result.findIndex((value: unknown) => typeof value !== "number");
  if (odd !== undefined && odd >= 0) {
    return contractError("must return finite numbers", `${typeof result[odd]} at ${odd}`);
  }
  const bytes = toVectorBytes(result);
  if (bytes.length !== dimensions * FLOAT_BYTES) {
    return contractError(
      `must return ${dimensions} numbers (${dimensions * FLOAT_BYTES} bytes) a text`,
      `${bytes.length / FLOAT_BYTES} numbers`,
    );
  }
  into.set(bytes);
  // Checked as float32, where numbers beyond 3.4e38 have become infinite.
  const numbers = numbersOf(into);
  // One sum for all questions, which takes a fifth of the time of asking each number.
  let sum = 0;
  for (let at = 0; at < numbers.length; at++) sum += Math.abs(numbers[at] as number);
  if (!Number.isFinite(sum)) {
    const at = numbers.findIndex((number) => !Number.isFinite(number));
    return contractError("must return finite numbers", `${numbers[at]} at ${at}`);
  }
  // It has no direction: to a search by cosine it is near to nothing, or an error.
  if (sum === 0) return contractError("must return a vector with a direction", "all zeros");
  return into;
}

function contractError(wanted: string, found: string): EmbedqError {
  return new EmbedqError(
    "ERR_EMBEDDER_CONTRACT",
    `Cannot use the embedder's reply as it ${wanted}: it is ${found}`,
  );
}
