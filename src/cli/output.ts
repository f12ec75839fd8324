// What the commands write: results to standard output, everything that accompanies them to standard
// error. Colours only on a terminal, and never where NO_COLOR is set.

import process from "node:process";
import pc from "picocolors";

export type Style = ReturnType<typeof pc.createColors>;

/** Something that stays in the last line of the terminal while other lines pass above it. */
export interface LiveLine {
  clear(): void;
  draw(): void;
}

export interface OutputOptions {
  readonly isJson: boolean;
  readonly isQuiet: boolean;
  /** @default false */
  readonly isVerbose?: boolean;
  /** False with `--no-color`. */
  readonly allowsColor: boolean;
  /** Ends the waiting for a reader that does not keep up. */
  readonly signal?: AbortSignal | undefined;
}

export class Output {
  /** Print data instead of sentences. */
  readonly isJson: boolean;
  readonly isQuiet: boolean;
  /** Say also what only matters to who looks closely. */
  readonly isVerbose: boolean;
  /** For what goes to standard output. */
  readonly style: Style;
  /** For what goes to standard error. */
  readonly noteStyle: Style;
  readonly #signal: AbortSignal | undefined;
  /** Set by the progress that is shown, read by whatever writes a line. */
  #live: LiveLine | undefined;

  constructor({ isJson, isQuiet, isVerbose = false, allowsColor, signal }: OutputOptions) {
    this.#signal = signal;
    this.isJson = isJson;
    this.isQuiet = isQuiet;
    this.isVerbose = isVerbose;
    this.style = pc.createColors(allowsColor && !isJson && hasColor(process.stdout.isTTY));
    this.noteStyle = pc.createColors(allowsColor && hasColor(process.stderr.isTTY));
  }

  /** Whether progress can be shown in place. */
  get isLive(): boolean {
    return process.stderr.isTTY === true && !this.isQuiet && process.env["TERM"] !== "dumb";
  }

  /** Columns of the terminal; 80 where there is none. */
  get columns(): number {
    return process.stdout.columns ?? process.stderr.columns ?? 80;
  }

  /** A line of the result. */
  line(text = ""): void {
    this.#above(() => process.stdout.write(`${text}\n`));
  }

  /** The whole result as data. */
  json(value: unknown): void {
    process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
  }

  /** One of many results as data: a line of JSON. */
  jsonLine(value: unknown): void {
    this.#above(() => process.stdout.write(`${JSON.stringify(value)}\n`));
  }

  /**
   * Part of a long result; resolves when the reader has kept up, so that memory stays bounded. Rejects
   * with the signal's reason where that is raised before.
   */
  async write(chunk: string | Uint8Array): Promise<void> {
    if (process.stdout.write(chunk)) return;
    await new Promise<void>((resolve, reject) => {
      const signal = this.#signal;
      const onDrain = () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      };
      const onAbort = () => {
        process.stdout.off("drain", onDrain);
        reject(signal?.reason as Error);
      };
      if (signal?.aborted) return onAbort();
      process.stdout.once("drain", onDrain);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** Says what goes on, to people; silent with `--quiet`. */
  note(text: string): void {
    if (!this.isQuiet) this.warn(text);
  }

  /** Says what somebody must know, also with `--quiet`. */
  warn(text: string): void {
    this.#above(() => process.stderr.write(`${text}\n`));
  }

  /** Keeps a live line below what is written; undefined ends it, and takes away what is still there. */
  keepBelow(live: LiveLine | undefined): void {
    this.#live?.clear();
    this.#live = live;
  }

  #above(write: () => void): void {
    this.#live?.clear();
    write();
    this.#live?.draw();
  }
}

function hasColor(isTerminal: boolean | undefined): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  if (NO_COLOR !== undefined && NO_COLOR !== "") return false;
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== "") return FORCE_COLOR !== "0";
  return isTerminal === true && TERM !== "dumb";
}
