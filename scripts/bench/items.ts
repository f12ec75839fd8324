// What is measured with: texts of 200 characters under keys of ten bytes, vectors that follow from the
// text, and a check that every destination got its own.

import { Buffer } from "node:buffer";
import type { Redis } from "./redis.ts";

/** A text and the hash that its vector belongs to. */
export interface Item {
  readonly key: string;
  readonly text: string;
}

/** Turns texts into vectors, one for each, in order. */
export type Provider = (texts: readonly string[]) => Promise<readonly Float32Array[]>;

const TEXT_LENGTH = 200;
const NUMBER_LENGTH = 8;
/** Different vectors there are; made once, so that a provider that answers at once costs nothing. */
const POOL_SIZE = 509;
const FILLER =
  " is the number of this text, and the words that follow are here to make it as long as a short paragraph" +
  " of prose would be, so that what is moved and stored has a size that people will meet in their work.";
/** Items whose vectors are compared at a time. */
const CHECK_CHUNK = 500;

/** Items from the number `first` on. */
export function makeItems(count: number, first = 0): Item[] {
  return Array.from({ length: count }, (_, i) => {
    const number = String(first + i).padStart(NUMBER_LENGTH, "0");
    // Through a buffer: a text from elsewhere is one piece, not a chain of pieces.
    const text = Buffer.from(number + FILLER).toString("latin1", 0, TEXT_LENGTH);
    return { key: `d:${number}`, text };
  });
}

/** The vectors of a number of dimensions. */
export class Vectors {
  readonly #pool: readonly Float32Array[];

  readonly dimensions: number;

  constructor(dimensions: number) {
    this.dimensions = dimensions;
    let seed = 1;
    this.#pool = Array.from({ length: POOL_SIZE }, () =>
      Float32Array.from({ length: dimensions }, () => {
        seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
        return seed / 2 ** 31 - 1;
      }),
    );
  }

  of(text: string): Float32Array {
    return this.#pool[Number(text.slice(0, NUMBER_LENGTH)) % POOL_SIZE] as Float32Array;
  }

  bytesOf(text: string): Buffer {
    return bytesOf(this.of(text));
  }
}

export function bytesOf(vector: Float32Array): Buffer {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
}

/** A provider that takes `callMs` and `itemMs` for each text, and counts its calls. */
export class MockProvider {
  calls = 0;
  items = 0;
  readonly embed: Provider;

  constructor(vectors: Vectors, { callMs, itemMs }: { callMs: number; itemMs: number }) {
    this.embed = (texts) => {
      this.calls += 1;
      this.items += texts.length;
      const results = texts.map((text) => vectors.of(text));
      const ms = callMs + itemMs * texts.length;
      if (ms === 0) return Promise.resolve(results);
      return new Promise((resolve) => setTimeout(resolve, ms, results));
    };
  }
}

/** @throws {Error} Where a destination holds anything but its own vector: the round is void. */
export async function checkStored(
  redis: Redis,
  vectors: Vectors,
  items: readonly Item[],
): Promise<void> {
  for (let at = 0; at < items.length; at += CHECK_CHUNK) {
    const chunk = items.slice(at, at + CHECK_CHUNK);
    const stored = await Promise.all(chunk.map(({ key }) => redis.bytes("HGET", key, "embedding")));
    for (const [i, { key, text }] of chunk.entries()) {
      if (stored[i]?.equals(vectors.bytesOf(text)) !== true) {
        throw new Error(`${key} holds ${stored[i]?.length ?? "no"} bytes that are not its vector`);
      }
    }
  }
}
