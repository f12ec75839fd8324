// A text that is too long for one slot and goes in pieces. Its vector is the mean of theirs.

import type { Job } from "./job.ts";
import { fromVectorBytes, toVectorBytes } from "./vector.ts";

/** The place of a slot in a text that is too long for one. */
export interface Piece {
  readonly whole: Whole;
  readonly at: number;
}

export class Whole {
  readonly jobs: readonly Job[];
  /** Where it is itself a piece of a text. */
  readonly pieces: readonly Piece[];
  /** How much each piece counts: its tokens. */
  readonly #weights: readonly number[];
  readonly #vectors: (Float32Array | undefined)[] = [];
  #isOver = false;

  constructor(
    owner: { readonly jobs: readonly Job[]; readonly pieces: readonly Piece[] },
    weights: readonly number[],
  ) {
    this.jobs = owner.jobs;
    this.pieces = owner.pieces;
    this.#weights = weights;
  }

  /** Takes the vector of one piece; returns that of the whole text when it was the last one missing. */
  give(at: number, vector: Uint8Array): Uint8Array | undefined {
    this.#vectors[at] = fromVectorBytes(vector);
    if (this.#isOver || this.#weights.some((_, i) => this.#vectors[i] === undefined))
      return undefined;
    this.#isOver = true;
    return toVectorBytes(this.#mean());
  }

  /** One piece came to nothing, and the whole with it; true the first time. */
  end(): boolean {
    const isFirst = !this.#isOver;
    this.#isOver = true;
    return isFirst;
  }

  /** Weighted by tokens and scaled to length 1, as vectors of providers are. */
  #mean(): Float32Array {
    const sum = new Float64Array(this.#vectors[0]?.length ?? 0);
    for (const [i, vector] of this.#vectors.entries()) {
      const weight = this.#weights[i] ?? 0;
      vector?.forEach((value, at) => {
        sum[at] = (sum[at] ?? 0) + weight * value;
      });
    }
    const length = Math.sqrt(sum.reduce((total, value) => total + value * value, 0));
    // Pieces that point in opposite directions can cancel out: then there is no length to scale.
    return Float32Array.from(sum, (value) => (length > 0 ? value / length : value));
  }
}
