// Small things that the tests of providers share.

import type { EmbedResult } from "../../src/index.ts";
import { EmbedderError, type EmbedqError } from "../../src/index.ts";
import { toVectorBytes } from "../../src/model/vector.ts";

/** The bytes of a result that must be a vector. */
export function bytesIn(result: EmbedResult | undefined): Uint8Array {
  if (result === undefined || result instanceof Error) throw result ?? new Error("no result");
  return new Uint8Array(toVectorBytes(result));
}

/** What a function throws; it must throw. */
export function optionError(make: () => unknown): EmbedqError {
  try {
    make();
  } catch (error) {
    return error as EmbedqError;
  }
  throw new Error("expected an error");
}

/** What an embedder throws, as an EmbedderError. */
export async function refusal(promise: Promise<unknown>): Promise<EmbedderError> {
  const error = await promise.then(
    () => new Error("expected a refusal"),
    (thrown: unknown) => thrown,
  );
  if (error instanceof EmbedderError) return error;
  throw error;
}

/** Texts of unlike lengths, with what UTF-8 and JSON make longer. */
export function texts(count: number): string[] {
  const kinds = ["plain", 'Żółć "quoted"', "北京\n\ttab", "emoji 😀", "back\\slash \u0001"];
  return Array.from({ length: count }, (_, i) => `${kinds[i % kinds.length]} ${i}`);
}
