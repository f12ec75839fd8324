// Lines that cannot be used: reported with their place, the first of each file, and counted.

import { counted, oneLine } from "../format.ts";
import type { Output } from "../output.ts";
import type { BadRow } from "./rows.ts";

/** How many of a file are reported one by one. */
const MAX_SHOWN = 20;

export class BadLines {
  readonly #out: Output;
  #inFile = 0;
  /** Of all files. */
  count = 0;

  constructor(out: Output) {
    this.#out = out;
  }

  report(file: string, row: BadRow): void {
    this.count++;
    if (++this.#inFile <= MAX_SHOWN) this.#out.warn(placed(file, row));
  }

  /** A file is through. */
  endFile(file: string): void {
    const hidden = this.#inFile - MAX_SHOWN;
    if (hidden > 0) this.#out.warn(`${oneLine(file)}: ${counted(hidden)} more bad lines`);
    this.#inFile = 0;
  }
}

/** As compilers say it: `docs.jsonl:7: is not JSON`. */
export function placed(file: string, { line, endLine, problem }: BadRow): string {
  const lines = line === endLine ? String(line) : `${line}-${endLine}`;
  return `${oneLine(file)}:${lines}: ${oneLine(problem.words)}`;
}
