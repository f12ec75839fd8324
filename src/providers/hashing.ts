// An embedder without a model: feature hashing. For demos and tests.

import * as v from "valibot";
import { check, GROUP, wholeFrom } from "../model/check.ts";
import type { EmbedContext, Embedder } from "../model/embedder.ts";

/** Options of {@link hashing}. */
export interface HashingOptions {
  /** Numbers in each vector, from 1 to 65,536; below some hundreds, unlike words begin to collide. @default 256 */
  readonly dimensions?: number | undefined;
  /** Texts a call. @default 50 */
  readonly maxItems?: number | undefined;
}

const SCHEMA = v.strictObject(
  { dimensions: v.optional(wholeFrom(1, 65_536)), maxItems: v.optional(wholeFrom(1)) },
  GROUP,
);

/** A pair of words says more than two words, and the parts of words find their other forms. */
const WORD_WEIGHT = 1;
const PAIR_WEIGHT = 0.7;
const PART_WEIGHT = 0.3;
const PART_LENGTH = 3;
/** Short words are mostly grammar: "of", "the", "is". A word of this length has its full weight. */
const FULL_WEIGHT_LENGTH = 6;

/** What {@link hashing} makes: an embedder that never fails. */
export interface HashingEmbedder extends Embedder {
  /** Embeds the texts; one vector for each, in order. */
  embed(texts: readonly string[], context?: EmbedContext): Promise<readonly Float32Array[]>;
}

/**
 * Embeds by the words, pairs of words and letter trigrams of a text: each feature is hashed to one
 * place with a sign, and the sum is scaled to length 1. Deterministic, without network, the same on
 * every runtime.
 *
 * It is **lexical**: texts that share words are near, texts that mean the same in other words are
 * not. Use it for demos and tests, not for search that people rely on.
 *
 * @throws {EmbedqError} `ERR_OPTION_INVALID`.
 *
 * @example
 * ```ts
 * import { EmbeddingQueue } from "embedq";
 * import { hashing } from "embedq/providers";
 *
 * export const queue = new EmbeddingQueue({
 *   redis: "redis://127.0.0.1:6379",
 *   embedder: hashing({ dimensions: 512 }),
 * });
 * ```
 */
export function hashing(options: HashingOptions = {}): HashingEmbedder {
  const { dimensions = 256, maxItems = 50 } = check(SCHEMA, options, "");
  return {
    model: "embedq-hashing-1",
    dimensions,
    limits: { maxItems },
    embed: (texts) => Promise.resolve(texts.map((text) => embedText(text, dimensions))),
  };
}

function embedText(text: string, dimensions: number): Float32Array {
  const vector = new Float32Array(dimensions);
  const words =
    text
      .normalize("NFKC")
      .toLowerCase()
      .match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
  const add = (feature: string, weight: number) => {
    const hash = hashOf(feature);
    const at = hash % dimensions;
    // The sign from a bit that does not choose the place: collisions cancel out on average.
    vector[at] = (vector[at] ?? 0) + (mix(hash) & 1 ? weight : -weight);
  };
  words.forEach((word, i) => {
    const weight = Math.min(1, word.length / FULL_WEIGHT_LENGTH);
    add(word, WORD_WEIGHT * weight);
    if (i > 0) add(`${words[i - 1]} ${word}`, PAIR_WEIGHT * weight);
    const bounded = `^${word}$`;
    for (let at = 0; at + PART_LENGTH <= bounded.length; at++) {
      add(`#${bounded.slice(at, at + PART_LENGTH)}`, PART_WEIGHT * weight);
    }
  });
  // Punctuation only, or features that cancelled out: still a vector with a direction.
  if (vector.every((value) => value === 0)) vector[hashOf(text) % dimensions] = 1;
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return vector.map((value) => value / length);
}

/** FNV-1a over UTF-16 units, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return mix(hash) >>> 0;
}

/** Spreads the bits: FNV's low ones alone are weak. */
function mix(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
