// The one place that hashes. `node:crypto` exists on Node, Bun and Deno and is synchronous;
// crypto.subtle costs 8 to 9 µs a digest on Node and Deno where this costs 1 to 1.6 µs.

import { createHash } from "node:crypto";
import { spaceTag, type VectorSpace } from "./settings.ts";

/** Digest of model, dimensions, task and text: equal digests mean that an embedding can be kept. */
export function sourceDigest(space: VectorSpace, text: string): string {
  // 128 bits are plenty against accidents, and this stands in every destination.
  return createHash("sha256")
    .update(`${spaceTag(space)}\n${text}`)
    .digest("hex")
    .slice(0, 32);
}

/** A few letters that change when any of the parts does. */
export function markOf(parts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);
}

/** The name by which Redis caches a script. */
export function scriptSha(source: string): string {
  return createHash("sha1").update(source).digest("hex");
}
