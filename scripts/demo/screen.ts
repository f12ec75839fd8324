// The terminal: what is printed, how wide, in which colours. Only standard output, and no escape
// codes where nobody looks.

import { stripVTControlCharacters, styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

const LABEL_WIDTH = 15;
const MIN_COLUMNS = 40;
const MAX_COLUMNS = 120;

export class Screen {
  /** True where a line can be drawn over. */
  readonly isLive = process.stdout.isTTY === true && process.env["TERM"] !== "dumb";
  readonly #hasColours = this.isLive && (process.env["NO_COLOR"] ?? "") === "";
  #hasLiveLine = false;

  get columns(): number {
    return Math.min(MAX_COLUMNS, Math.max(MIN_COLUMNS, process.stdout.columns || 80));
  }

  style(style: Style, text: string): string {
    return this.#hasColours ? styleText(style, text, { validateStream: false }) : text;
  }

  /** Prints a line in the place of the live line, which is drawn again below. */
  line(text = ""): void {
    this.endLive();
    process.stdout.write(`${text}\n`);
  }

  /** Prints a label and what belongs to it, on as many lines as it needs. */
  fact(label: string, text: string): void {
    const [first = "", ...rest] = wrap(text, this.columns - LABEL_WIDTH);
    this.line(this.style("bold", label.padEnd(LABEL_WIDTH)) + first);
    for (const line of rest) this.line(" ".repeat(LABEL_WIDTH) + line);
  }

  /** Draws the live line, over the one before; on a terminal only. */
  live(text: string): void {
    if (!this.isLive) return;
    process.stdout.write(`\r\x1b[K${text}`);
    this.#hasLiveLine = true;
  }

  /** Leaves the live line as it is, and goes on below it. */
  keepLive(): void {
    if (this.#hasLiveLine) process.stdout.write("\n");
    this.#hasLiveLine = false;
  }

  /** Takes the live line away. */
  endLive(): void {
    if (this.#hasLiveLine) process.stdout.write("\r\x1b[K");
    this.#hasLiveLine = false;
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
  for (const word of printable(text).split(" ")) {
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

export function counted(number: number): string {
  return number.toLocaleString("en-US", { maximumFractionDigits: 0 });
}

/** A text of a file must not steer the terminal. */
function printable(text: string): string {
  return stripVTControlCharacters(text).replace(/\p{Cc}/gu, " ");
}
