// Where bytes come from: files and standard input, packed with gzip or not, at their reader's pace.

import { createReadStream, fstatSync } from "node:fs";
import { stat } from "node:fs/promises";
import process from "node:process";
import { pipeline, type Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { CommandError, messageOf, UsageError } from "../errors.ts";

/** An input that is not read yet. */
export interface Source {
  /** As the user named it; `-` is standard input. */
  readonly path: string;
  /** For messages. */
  readonly name: string;
  /** In bytes as stored; undefined where nobody knows. */
  readonly size: number | undefined;
  /** How much of it was read. */
  readonly bytesRead: number;
  /** Its bytes, unpacked. Ends with the signal's reason when that is raised. */
  chunks(signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined>;
}

/**
 * Looks whether the input is there; opens nothing.
 *
 * @throws {UsageError} Where it is not.
 */
export async function sourceOf(path: string): Promise<Source> {
  if (path === "-") return new ByteSource(path, "stdin", sizeOfStdin(), () => process.stdin);
  let size: number | undefined;
  try {
    const found = await stat(path);
    if (found.isDirectory()) throw new Error("it is a folder");
    // Pipes have names too, and no size.
    if (found.isFile()) size = found.size;
  } catch (error) {
    const isAbsent = (error as { code?: unknown }).code === "ENOENT";
    throw new UsageError(`Cannot read ${path}: ${isAbsent ? "no such file" : messageOf(error)}`);
  }
  return new ByteSource(path, path, size, () => createReadStream(path));
}

/** `embedq … < file` has one, a pipe has none. */
function sizeOfStdin(): number | undefined {
  try {
    const found = fstatSync(0);
    return found.isFile() ? found.size : undefined;
  } catch {
    return undefined;
  }
}

class ByteSource implements Source {
  readonly path: string;
  readonly name: string;
  readonly size: number | undefined;
  readonly #open: () => Readable;
  bytesRead = 0;

  constructor(path: string, name: string, size: number | undefined, open: () => Readable) {
    this.path = path;
    this.name = name;
    this.size = size;
    this.#open = open;
  }

  async *chunks(signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    signal.throwIfAborted();
    const stream = this.#open();
    // A pipe that brings nothing would hold up the end.
    const onAbort = () => stream.destroy(signal.reason as Error);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      yield* unpacked(this.#counted(stream));
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof UsageError) throw error;
      const message = `Cannot read ${this.name} to its end: ${messageOf(error)}`;
      throw new CommandError(message, { cause: error });
    } finally {
      signal.removeEventListener("abort", onAbort);
      stream.destroy();
    }
  }

  async *#counted(stream: Readable): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      this.bytesRead += chunk.length;
      yield chunk;
    }
  }
}

/** What begins as gzip does, which no text does, is unpacked, whatever its name. */
async function* unpacked(
  bytes: AsyncGenerator<Uint8Array, void, undefined>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let head: Uint8Array = new Uint8Array();
  while (head.length < 2) {
    const { done, value } = await bytes.next();
    if (done) break;
    head = head.length === 0 ? value : Uint8Array.of(...head, ...value);
  }
  const [first, second] = head;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    throw new UsageError("The input is UTF-16: UTF-8 is wanted (iconv -f UTF-16 -t UTF-8)");
  }
  const all = rejoined(head, bytes);
  if (first !== 0x1f || second !== 0x8b) {
    yield* all;
    return;
  }
  // What fails on the way is thrown by the loop over its end.
  const gunzip = pipeline(all, createGunzip(), () => {});
  yield* gunzip as AsyncIterable<Uint8Array>;
}

async function* rejoined(
  head: Uint8Array,
  rest: AsyncGenerator<Uint8Array, void, undefined>,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (head.length > 0) yield head;
  yield* rest;
}
