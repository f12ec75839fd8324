// The nearest of many vectors by cosine, in the memory of those that are kept.

export interface Neighbour {
  readonly key: string;
  /** Cosine of the angle between the two, from -1 to 1. */
  readonly score: number;
}

export class Nearest {
  readonly #query: Float32Array;
  readonly #queryLength: number;
  readonly #limit: number;
  readonly #found: Neighbour[] = [];

  constructor(query: Float32Array, limit: number) {
    this.#query = query;
    this.#queryLength = lengthOf(query);
    this.#limit = limit;
  }

  /** The best so far, the nearest first. */
  get found(): readonly Neighbour[] {
    return this.#found;
  }

  /** @returns Whether the two can be compared: sizes are equal, and no vector is nothing but zeros. */
  offer(key: string, vector: Float32Array): boolean {
    if (vector.length !== this.#query.length) return false;
    let dot = 0;
    for (let i = 0; i < vector.length; i++) dot += (vector[i] ?? 0) * (this.#query[i] ?? 0);
    const score = dot / (lengthOf(vector) * this.#queryLength);
    if (!Number.isFinite(score)) return false;
    this.#keep({ key, score });
    return true;
  }

  #keep(neighbour: Neighbour): void {
    const worst = this.#found.at(-1);
    if (
      this.#found.length === this.#limit &&
      worst !== undefined &&
      worst.score >= neighbour.score
    ) {
      return;
    }
    // SCAN may name a key twice.
    if (this.#found.some(({ key }) => key === neighbour.key)) return;
    const at = this.#found.findIndex(({ score }) => score < neighbour.score);
    this.#found.splice(at < 0 ? this.#found.length : at, 0, neighbour);
    if (this.#found.length > this.#limit) this.#found.pop();
  }
}

function lengthOf(vector: Float32Array): number {
  let sum = 0;
  for (const value of vector) sum += value * value;
  return Math.sqrt(sum);
}
