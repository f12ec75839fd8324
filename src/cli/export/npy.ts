// A NumPy matrix, a row for each vector, and the keys of the rows in a file beside it.

import { Buffer } from "node:buffer";
import { encodeEmbedding, type StoredEmbedding } from "../../index.ts";
import { npyHeader } from "./npy-header.ts";
import { type ExportTarget, PartFile } from "./target.ts";

export class NpyTarget implements ExportTarget {
  readonly #matrix: PartFile;
  readonly #keys: PartFile;
  /** All rows have the same length: the queue's, else that of the first vector. */
  #columns: number | undefined;
  #rows = 0;

  private constructor(matrix: PartFile, keys: PartFile, columns: number | undefined) {
    this.#matrix = matrix;
    this.#keys = keys;
    this.#columns = columns;
  }

  static async open(path: string, columns: number | undefined): Promise<NpyTarget> {
    const matrix = await PartFile.open(path);
    const keys = await PartFile.open(keysPath(path)).catch(async (error: unknown) => {
      await matrix.abandon();
      throw error;
    });
    await matrix.write(npyHeader(0, columns ?? 0));
    return new NpyTarget(matrix, keys, columns);
  }

  async add({ key }: StoredEmbedding, embedding: Float32Array): Promise<boolean> {
    this.#columns ??= embedding.length;
    if (embedding.length !== this.#columns) return false;
    await this.#matrix.write(encodeEmbedding(embedding));
    await this.#keys.write(Buffer.from(`${JSON.stringify(key)}\n`));
    this.#rows++;
    return true;
  }

  async finish(): Promise<void> {
    await this.#keys.finish();
    await this.#matrix.finish(npyHeader(this.#rows, this.#columns ?? 0));
  }

  async abandon(): Promise<void> {
    await this.#matrix.abandon();
    await this.#keys.abandon();
  }
}

/** vectors.npy → vectors.keys.jsonl. */
export function keysPath(path: string): string {
  return `${path.replace(/\.npy$/, "")}.keys.jsonl`;
}
