// Vectors by their text, whatever key it belongs to: looked up before a call and kept after one.
// Never needed: whatever goes wrong costs a provider call at most, so it is told and not thrown.

import { checkVector } from "../model/contract.ts";
import { sourceDigest } from "../model/digest.ts";
import { asError, EmbedqError } from "../model/errors.ts";
import type { VectorSpace } from "../model/settings.ts";
import { FLOAT_BYTES } from "../model/vector.ts";
import type { Link } from "../redis/link.ts";
import { runReadCache, runWriteCache } from "../redis/scripts/cache.ts";

/** Keys in one script call: 1.5 MB for vectors of 1536 numbers. */
const MAX_KEYS = 256;

export interface CacheStage {
  readonly link: Link;
  readonly space: VectorSpace;
  readonly ttlMs: number;
}

export interface CacheRead {
  /** For each text its vector, undefined where none is kept. */
  readonly vectors: readonly (Uint8Array | undefined)[];
  /** Why the rest was not looked for, if so. */
  readonly error: Error | undefined;
}

export interface CacheWrite {
  readonly stored: number;
  /** Why the rest is not kept, if so: for instance Redis is out of memory. */
  readonly error: Error | undefined;
}

/** The vectors that are kept for these texts, checked as those of an embedder are. */
export async function readCache(
  { link, space }: CacheStage,
  texts: readonly string[],
): Promise<CacheRead> {
  const vectors = new Array<Uint8Array | undefined>(texts.length).fill(undefined);
  const bytes = space.dimensions * FLOAT_BYTES;
  try {
    for (let at = 0; at < texts.length; at += MAX_KEYS) {
      const digests = texts.slice(at, at + MAX_KEYS).map((text) => sourceDigest(space, text));
      const page = await runReadCache(link, digests, bytes);
      page.forEach((found, i) => {
        const vector = found && checkVector(found, space.dimensions);
        // Somebody else's bytes may have the right length.
        if (!(vector instanceof Error)) vectors[at + i] = vector;
      });
    }
    return { vectors, error: undefined };
  } catch (error) {
    return { vectors, error: asError(error) };
  }
}

/** Keeps vectors that a provider returned. */
export async function writeCache(
  { link, space, ttlMs }: CacheStage,
  embedded: readonly { readonly text: string; readonly vector: Uint8Array }[],
): Promise<CacheWrite> {
  let stored = 0;
  try {
    for (let at = 0; at < embedded.length; at += MAX_KEYS) {
      const page = embedded
        .slice(at, at + MAX_KEYS)
        .map(({ text, vector }) => ({ digest: sourceDigest(space, text), vector }));
      const written = await runWriteCache(link, page, ttlMs);
      stored += written.stored;
      if (written.refusal !== "") return { stored, error: refused(written.refusal) };
    }
    return { stored, error: undefined };
  } catch (error) {
    return { stored, error: asError(error) };
  }
}

function refused(words: string): EmbedqError {
  return new EmbedqError(
    "ERR_REDIS_REPLY",
    `Cannot keep vectors in the cache as Redis must take them: it is refused, ${words}`,
  );
}
