// Nearest neighbours over the vectors that the queue has written, read back from Redis.

import { Nearest } from "../nearest.ts";
import { embedHere } from "./embedder.ts";
import type { Visit } from "./visit.ts";

export interface Stored {
  readonly text: string;
  readonly source: string;
  readonly vector: Float32Array;
}

export interface Hit {
  readonly score: number;
  readonly stored: Stored;
}

/** Reads every hash: what the application stored, and the vector that the queue added. */
export async function readStored(visit: Visit): Promise<readonly Stored[]> {
  const rows = await visit.readAll(["text", "source", "embedding"]);
  return rows.map(([text, source, vector]) => ({
    text: String(text),
    source: String(source),
    // A copy: the bytes of a reply need not begin at a multiple of four.
    vector: new Float32Array(Uint8Array.from(vector ?? []).buffer),
  }));
}

/** How many of the vectors are, to the last bit, what the embedder gives for the text. */
export async function countRight(stored: readonly Stored[]): Promise<number> {
  const wanted = await embedHere(stored.map(({ text }) => text));
  return stored.filter(({ vector }, i) => areEqual(vector, wanted[i] ?? new Float32Array())).length;
}

/** The texts nearest to a question by cosine, the nearest first. */
export async function nearest(
  stored: readonly Stored[],
  question: string,
  count: number,
): Promise<readonly Hit[]> {
  const [asked = new Float32Array()] = await embedHere([question]);
  const hits = new Nearest(asked, count);
  for (const [i, { vector }] of stored.entries()) hits.offer(String(i), vector);
  return hits.found.map(({ key, score }) => ({ score, stored: stored[Number(key)] as Stored }));
}

function areEqual(a: Float32Array, b: Float32Array): boolean {
  return a.length === b.length && a.every((number, i) => number === b[i]);
}
