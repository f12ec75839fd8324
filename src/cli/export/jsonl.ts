// One JSON object a line: to standard output, or to a file.

import { Buffer } from "node:buffer";
import { encodeEmbedding, type StoredEmbedding } from "../../index.ts";
import type { Output } from "../output.ts";
import { type ExportTarget, PartFile } from "./target.ts";

export class JsonlTarget implements ExportTarget {
  readonly #file: PartFile | undefined;
  readonly #out: Output;
  readonly #isBase64: boolean;

  private constructor(file: PartFile | undefined, out: Output, isBase64: boolean) {
    this.#file = file;
    this.#out = out;
    this.#isBase64 = isBase64;
  }

  /** @param path Undefined for standard output. */
  static async open(
    path: string | undefined,
    out: Output,
    isBase64: boolean,
  ): Promise<JsonlTarget> {
    return new JsonlTarget(
      path === undefined ? undefined : await PartFile.open(path),
      out,
      isBase64,
    );
  }

  async add(stored: StoredEmbedding, embedding: Float32Array): Promise<boolean> {
    const vector = this.#isBase64
      ? Buffer.from(encodeEmbedding(embedding)).toString("base64")
      : Array.from(embedding);
    const line = `${JSON.stringify({ ...stored, embedding: vector })}\n`;
    if (this.#file === undefined) await this.#out.write(line);
    else await this.#file.write(Buffer.from(line));
    return true;
  }

  async finish(): Promise<void> {
    await this.#file?.finish();
  }

  async abandon(): Promise<void> {
    await this.#file?.abandon();
  }
}
