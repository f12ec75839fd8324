// Replies become vectors, each at the place of its text. Nothing is zipped silently: the number
// must be right, and an order that the reply names must be a whole one.

import type { EmbeddingVector } from "../model/embedder.ts";
import { EmbedqError } from "../model/errors.ts";
import { decodeVector } from "./base64.ts";

/** A vector, or what is wrong with this one alone. */
export type Placed = EmbeddingVector | EmbedqError;

/**
 * The vectors of a list such as OpenAI's `data`. Placed by `index` where these number them without a
 * gap, from whatever begin; otherwise in the order they came, which is what servers mean that leave
 * them out, or send 0 with each.
 *
 * @param count Texts that were sent.
 * @throws {EmbedqError} `ERR_EMBEDDER_CONTRACT` where it is not one vector for each text.
 */
export function placeVectors(data: unknown, count: number, dimensions: number): readonly Placed[] {
  const list = requireList(data, count);
  const indexes = list.map((item) => (item as { index?: unknown } | null)?.index as number);
  // Of items that a server has taken from a longer list, or counts from 1.
  const first = Math.min(...indexes);
  const isIndex = (index: number) => Number.isInteger(index) && index - first < count;
  const inOrder: unknown[] = [...list];
  if (indexes.every(isIndex) && new Set(indexes).size === count) {
    for (const [i, item] of list.entries()) inOrder[(indexes[i] ?? 0) - first] = item;
  }
  return inOrder.map((item) =>
    vectorIn((item as { embedding?: unknown } | null)?.embedding, dimensions),
  );
}

/**
 * The vectors of a list such as Gemini's `embeddings`, which are in the order of the request.
 *
 * @throws {EmbedqError} `ERR_EMBEDDER_CONTRACT` where it is not one vector for each text.
 */
export function listVectors(list: unknown, count: number, dimensions: number): readonly Placed[] {
  return requireList(list, count).map((item) =>
    vectorIn((item as { values?: unknown } | null)?.values, dimensions),
  );
}

/** Tokens that a reply reports. Zero is what servers say that do not count. */
export function tokensOf(...reported: readonly unknown[]): number | undefined {
  return reported.find((tokens): tokens is number => typeof tokens === "number" && tokens > 0);
}

function requireList(data: unknown, count: number): readonly unknown[] {
  if (Array.isArray(data) && data.length === count) return data;
  const found = Array.isArray(data) ? `it holds ${data.length}` : `it is ${typeof data}`;
  throw contract(`hold ${count} embeddings`, found);
}

/** Text is base64, whether it was asked for or not; so is a list of numbers floats. */
function vectorIn(embedding: unknown, dimensions: number): Placed {
  if (typeof embedding === "string") return decodeVector(embedding, dimensions);
  // The numbers themselves are checked where all embedders' vectors are.
  if (Array.isArray(embedding)) return embedding as readonly number[];
  return contract("hold a list of numbers, or base64, for each text", `it is ${typeof embedding}`);
}

function contract(wanted: string, found: string): EmbedqError {
  return new EmbedqError(
    "ERR_EMBEDDER_CONTRACT",
    `Cannot use the provider's reply as it must ${wanted}: ${found}`,
  );
}
