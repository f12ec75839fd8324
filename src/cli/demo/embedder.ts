// The embedder that the demo and its workers agree on.

import type { Embedder } from "../../index.ts";
import { hashing } from "../../providers/index.ts";

/** Texts in a provider call: embedq's own default. */
export const BATCH: number = 50;

export function demoEmbedder(): Embedder {
  return hashing({ dimensions: 256, maxItems: BATCH });
}

/** Embeds in this process, without the queue. */
export async function embedHere(texts: readonly string[]): Promise<readonly Float32Array[]> {
  const { signal } = new AbortController();
  // hashing() gives a vector for any text.
  return (await demoEmbedder().embed(texts, { signal })) as readonly Float32Array[];
}
