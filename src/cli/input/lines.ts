// Bytes become lines: however they are cut, with or without carriage returns, and with lines that
// nobody would want in memory.

import { Buffer } from "node:buffer";
import { Problem } from "./rows.ts";

/** One line without its end. Blank lines come too. */
export interface Line {
  /** From 1. */
  readonly number: number;
  readonly content: string | Problem;
}

const NEWLINE = 0x0a;
const BOM = "\uFEFF";

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Cuts a stream of bytes into lines; holds no more of a line than it may have. Whole lines are decoded
 * together: one by one costs several times as much time and memory.
 */
export class LineSplitter {
  readonly #maxBytes: number;
  /** The begin of a line whose end has not come yet. */
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  /** The line under way is too long: it is passed over to its end. */
  #isTooLong = false;
  #number = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The lines that this chunk completes. */
  push(chunk: Uint8Array): Line[] {
    const lines: Line[] = [];
    let bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    if (this.#isTooLong) {
      const end = bytes.indexOf(NEWLINE);
      if (end < 0) return lines;
      lines.push(this.#tooLong());
      bytes = bytes.subarray(end + 1);
    }
    const last = bytes.lastIndexOf(NEWLINE);
    if (last >= 0) {
      this.#cut(this.#joined(bytes.subarray(0, last)), lines);
      bytes = bytes.subarray(last + 1);
    }
    this.#hold(bytes);
    return lines;
  }

  /** The last line, where no line break ends it. */
  end(): Line[] {
    const lines: Line[] = [];
    if (this.#isTooLong) lines.push(this.#tooLong());
    else if (this.#heldBytes > 0) this.#cut(this.#joined(Buffer.alloc(0)), lines);
    return lines;
  }

  #hold(bytes: Uint8Array): void {
    this.#heldBytes += bytes.length;
    // The carriage return and the mark of UTF-8 do not count, but are not looked for here.
    if (this.#heldBytes > this.#maxBytes + 4) {
      this.#isTooLong = true;
      this.#held = [];
    } else if (bytes.length > 0) {
      // A copy: a reader may fill the same memory again.
      this.#held.push(Buffer.from(bytes));
    }
  }

  #joined(bytes: Buffer): Buffer {
    if (this.#heldBytes === 0) return bytes;
    const joined = Buffer.concat([...this.#held, bytes]);
    this.#held = [];
    this.#heldBytes = 0;
    return joined;
  }

  #tooLong(): Line {
    this.#isTooLong = false;
    this.#heldBytes = 0;
    return { number: ++this.#number, content: tooLong(this.#maxBytes) };
  }

  /** Bytes of whole lines, without the last line break. */
  #cut(bytes: Buffer, lines: Line[]): void {
    const text = decoded(bytes);
    if (text === undefined) {
      this.#cutBytes(bytes, lines);
      return;
    }
    for (let from = 0; from <= text.length; ) {
      const end = text.indexOf("\n", from);
      const to = end < 0 ? text.length : end;
      lines.push(this.#lineOf(text.slice(from, to)));
      from = to + 1;
    }
  }

  /** Some line of them is not UTF-8: which? */
  #cutBytes(bytes: Buffer, lines: Line[]): void {
    for (let from = 0; from <= bytes.length; ) {
      const end = bytes.indexOf(NEWLINE, from);
      const to = end < 0 ? bytes.length : end;
      const text = decoded(bytes.subarray(from, to));
      if (text === undefined) lines.push({ number: ++this.#number, content: NOT_UTF8 });
      else lines.push(this.#lineOf(text));
      from = to + 1;
    }
  }

  #lineOf(raw: string): Line {
    const number = ++this.#number;
    let content = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
    if (number === 1 && content.startsWith(BOM)) content = content.slice(1);
    // A character has at most three bytes for each of its units.
    const isLong =
      content.length * 3 > this.#maxBytes && Buffer.byteLength(content) > this.#maxBytes;
    return { number, content: isLong ? tooLong(this.#maxBytes) : content };
  }
}

/** Said of what is longer than it may be. */
function tooLong(maxBytes: number): Problem {
  return new Problem(`is longer than --max-line-bytes (${maxBytes})`);
}

const NOT_UTF8 = new Problem("is not UTF-8");

/** Undefined for what is not UTF-8. */
function decoded(bytes: Buffer): string | undefined {
  const text = bytes.toString("utf8");
  if (!text.includes("\uFFFD")) return text;
  try {
    // Perhaps it only holds that character.
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}
