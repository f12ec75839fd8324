// What the demo prints: facts with a label, broken where the terminal ends.

import { stripVTControlCharacters } from "node:util";
import { oneLine } from "../format.ts";
import type { Output, Style } from "../output.ts";

const LABEL_WIDTH = 15;
const MIN_COLUMNS = 40;
const MAX_COLUMNS = 120;

export class Page {
  readonly #out: Output;

  constructor(out: Output) {
    this.#out = out;
  }

  get columns(): number {
    return Math.min(MAX_COLUMNS, Math.max(MIN_COLUMNS, this.#out.columns));
  }

  get style(): Style {
    return this.#out.style;
  }

  /** For people: where data is asked for, nothing. */
  line(text = ""): void {
    if (!this.#out.isJson) this.#out.line(text);
  }

  /** A label and what belongs to it, on as many lines as it needs. */
  fact(label: string, text: string): void {
    const [first = "", ...rest] = wrap(text, this.columns - LABEL_WIDTH);
    this.line(this.style.bold(label.padEnd(LABEL_WIDTH)) + first);
    for (const line of rest) this.line(" ".repeat(LABEL_WIDTH) + line);
  }
}

/** Breaks a text into lines; with `maxLines`, what does not fit is cut off. */
export function wrap(
  text: string,
  width: number,
  maxLines: number = Number.POSITIVE_INFINITY,
): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of oneLine(stripVTControlCharacters(text)).split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (longer.length <= width) {
      line = longer;
    } else {
      if (line !== "") lines.push(line);
      line = word.slice(0, width);
    }
  }
  lines.push(line);
  if (lines.length <= maxLines) return lines;
  const kept = lines.slice(0, maxLines);
  let last = kept.pop() ?? "";
  // Whole words only, unless there is but one.
  while (last.length > width - 2) last = last.slice(0, Math.max(last.lastIndexOf(" "), width - 40));
  return [...kept, `${last} …`];
}
