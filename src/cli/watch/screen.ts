// A terminal that is taken over as a whole and given back as it was, however the process ends.

import process from "node:process";

const ESC = "\x1b[";
/** The other screen, no cursor, no wrapping of lines that are too wide after all. */
const ENTER: string = `${ESC}?1049h${ESC}?25l${ESC}?7l${ESC}2J`;
const LEAVE: string = `${ESC}?7h${ESC}?25h${ESC}?1049l`;
/** Terminals that know it show a frame only when it is whole; others pass over it. */
const BEGIN: string = `${ESC}?2026h${ESC}H`;
const END: string = `${ESC}?2026l`;
/** Before the line: after it, the cursor may stand upon its last letter. */
const CLEAR_LINE: string = `${ESC}2K`;
const PLAIN: string = `${ESC}0m`;

const CTRL_C = "\x03";

export class Screen {
  readonly #onQuit: () => void;
  readonly #onResize: () => void;
  #isOpen = true;

  /**
   * @param onQuit `q`, Esc or Ctrl-C was pressed.
   * @param onResize The terminal has another size now.
   */
  constructor(onQuit: () => void, onResize: () => void) {
    this.#onQuit = onQuit;
    this.#onResize = onResize;
    process.once("exit", this.#leave);
    process.stdout.write(ENTER);
    process.stdout.on("resize", onResize);
    if (process.stdin.isTTY) {
      process.stdin.setRawMode(true);
      process.stdin.on("data", this.#hear);
      process.stdin.resume();
    }
  }

  get columns(): number {
    return Math.max(24, process.stdout.columns || 80);
  }

  get rows(): number {
    return Math.max(1, process.stdout.rows || 24);
  }

  draw(lines: readonly string[]): void {
    // A terminal that does not keep up, far away, gets the next frame instead.
    if (!this.#isOpen || process.stdout.writableNeedDrain) return;
    const rows = Array.from({ length: this.rows }, (_, i) => CLEAR_LINE + (lines[i] ?? "") + PLAIN);
    process.stdout.write(BEGIN + rows.join("\r\n") + END);
  }

  close(): void {
    process.off("exit", this.#leave);
    process.stdout.off("resize", this.#onResize);
    this.#leave();
    if (process.stdin.isTTY) {
      process.stdin.off("data", this.#hear);
      process.stdin.pause();
    }
  }

  readonly #leave = (): void => {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    if (process.stdin.isTTY) process.stdin.setRawMode(false);
    process.stdout.write(LEAVE);
  };

  readonly #hear = (data: Uint8Array | string): void => {
    // An arrow key begins with Esc too, but comes as one piece.
    const keys = String(data);
    if (keys === "\x1b" || keys.includes(CTRL_C) || /^q$/i.test(keys)) this.#onQuit();
  };
}
