// Where exported vectors go. A file takes its name only when it is whole.

import { randomUUID } from "node:crypto";
import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import type { StoredEmbedding } from "../../index.ts";
import { messageOf, UsageError } from "../errors.ts";

export interface ExportTarget {
  /** @returns False where this vector cannot go here. */
  add(stored: StoredEmbedding, embedding: Float32Array): Promise<boolean>;
  /** All is added: the files take their names. */
  finish(): Promise<void>;
  /** Something failed: nothing of it stays. */
  abandon(): Promise<void>;
}

/** Bytes that are collected before they are written. */
const BUFFER_BYTES = 1 << 20;

/** A file under another name until it is finished; writes are collected. */
export class PartFile {
  readonly #path: string;
  readonly #part: string;
  readonly #handle: FileHandle;
  #chunks: Uint8Array[] = [];
  #bytes = 0;

  private constructor(path: string, part: string, handle: FileHandle) {
    this.#path = path;
    this.#part = part;
    this.#handle = handle;
  }

  /** @throws {UsageError} Where nothing can be written there. */
  static async open(path: string): Promise<PartFile> {
    // Another export to the same file writes to a file of its own; the last to end wins.
    const part = `${path}.${randomUUID().slice(0, 8)}.part`;
    try {
      const found = await stat(path).catch(() => undefined);
      if (found?.isDirectory()) throw new Error("it is a folder");
      // A file that takes the name of /dev/null would take its place.
      if (found !== undefined && !found.isFile()) throw new Error("it is no file; use a pipe");
      return new PartFile(path, part, await open(part, "wx"));
    } catch (error) {
      throw new UsageError(`Cannot write to ${path}: ${messageOf(error)}`, { cause: error });
    }
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes >= BUFFER_BYTES) await this.#flush();
  }

  /** @param header Takes the place of the first bytes, where it was not known before. */
  async finish(header?: Uint8Array): Promise<void> {
    await this.#flush();
    if (header !== undefined) await this.#handle.write(header, 0, header.length, 0);
    await this.#handle.close();
    await rename(this.#part, this.#path);
  }

  async abandon(): Promise<void> {
    await this.#handle.close();
    await rm(this.#part, { force: true });
  }

  async #flush(): Promise<void> {
    for (const chunk of this.#chunks.splice(0)) await this.#handle.writeFile(chunk);
    this.#bytes = 0;
  }
}
