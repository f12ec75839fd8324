// Which of the hashes that a walk meets need their text embedded.

import { sourceDigest } from "./digest.ts";
import type { VectorSpace } from "./settings.ts";
import { FLOAT_BYTES } from "./vector.ts";
import type { WalkKind } from "./walk.ts";

/** What a hash holds beside its text; undefined for fields that are not there. */
export interface FoundHash {
  readonly version: string | undefined;
  readonly status: string | undefined;
  readonly source: string | undefined;
  /** 0 where there is no vector. */
  readonly vectorBytes: number;
}

/** What the text cannot change: `ask` where it has to be known. */
export type FirstLook = "ask" | "unchanged" | "skip";

/**
 * Looks at a hash before its text is known.
 *
 * @param space Undefined for a backfill, which fills gaps whatever the model.
 */
export function firstLook(
  kind: WalkKind,
  hash: FoundHash,
  space: VectorSpace | undefined,
  includeDead: boolean,
): FirstLook {
  const isDestination = hash.vectorBytes > 0 || hash.version !== undefined;
  if (kind === "backfill") return isDestination ? "unchanged" : "ask";
  if (!isDestination) return "skip";
  // Of a dead text no source is kept. A zero vector of another size is one of another model, which
  // may have refused what this one takes; and it would not fit into an index of this one.
  const hasOtherSize = hash.vectorBytes > 0 && hash.vectorBytes !== sizeOf(space);
  return hash.status === "dead" && !includeDead && !hasOtherSize ? "skip" : "ask";
}

/** True where the hash holds the vector of this text under this model. */
export function isCurrent(hash: FoundHash, text: string, space: VectorSpace | undefined): boolean {
  if (space === undefined || hash.vectorBytes !== sizeOf(space)) return false;
  if (text.trim() === "") return hash.status === "blank";
  return hash.status === "embedded" && hash.source === sourceDigest(space, text);
}

function sizeOf(space: VectorSpace | undefined): number {
  return (space?.dimensions ?? 0) * FLOAT_BYTES;
}
