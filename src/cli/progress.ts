// Progress of something long, in one line of the terminal: a bar, the share, the count, the rate and
// the time that is left. Where standard error is no terminal, a plain line now and then.

import process from "node:process";
import { counted, percent, perSecond, span } from "./format.ts";
import type { LiveLine, Output } from "./output.ts";
import { fit, widthOf } from "./width.ts";

/** How often the line is drawn, and how often it is written to a log. */
const DRAW_EVERY_MS = 100;
const LOG_EVERY_MS = 10_000;
/** The widest that fits beside the rest is taken, so that it does not jump with each digit. */
const BAR_WIDTHS = [24, 16, 10, 6];
/** The rate is that of about the last so many milliseconds. */
const RATE_WINDOW_MS = 5000;

export interface ProgressState {
  /** How many are done. */
  readonly done: number;
  /** How many there are; undefined where nobody knows. */
  readonly total?: number | undefined;
  /** Which share is done, from 0 to 1, where the total is not known but that is. @default done / total */
  readonly share?: number | undefined;
  /** What else is worth knowing, in few words. */
  readonly detail?: string | undefined;
}

export class Progress implements LiveLine {
  readonly #out: Output;
  readonly #label: string;
  readonly #startedAt: number = performance.now();
  readonly #samples: { at: number; done: number }[] = [];
  #state: ProgressState = { done: 0 };
  #drawnAt = Number.NEGATIVE_INFINITY;

  /** @param label What is being done, like "enqueued". */
  constructor(out: Output, label: string) {
    this.#out = out;
    this.#label = label;
    if (out.isLive) out.keepBelow(this);
  }

  /** Milliseconds since the begin. */
  get elapsedMs(): number {
    return performance.now() - this.#startedAt;
  }

  update(state: ProgressState): void {
    this.#state = state;
    const now = performance.now();
    const everyMs = this.#out.isLive ? DRAW_EVERY_MS : LOG_EVERY_MS;
    if (now - this.#drawnAt < everyMs) return;
    if (this.#out.isLive) {
      this.#sample(now);
      this.draw();
    } else {
      // The first line comes after the first interval: what is quick needs none.
      if (this.#drawnAt > 0) {
        this.#sample(now);
        this.#out.note(this.#text());
      }
      this.#drawnAt = now;
    }
  }

  /** Takes the line away. What became of it all, the command says. */
  end(): void {
    this.#out.keepBelow(undefined);
  }

  clear(): void {
    if (this.#out.isLive) process.stderr.write("\r\x1b[K");
  }

  draw(): void {
    if (!this.#out.isLive) return;
    this.#drawnAt = performance.now();
    const columns = Math.max(10, (process.stderr.columns ?? 80) - 1);
    const text = fit(this.#text(columns), columns);
    const { dim } = this.#out.noteStyle;
    process.stderr.write(`\r\x1b[K${text.replace(/[░]+/, (rest) => dim(rest))}`);
  }

  #sample(at: number): void {
    this.#samples.push({ at, done: this.#state.done });
    while ((this.#samples[1]?.at ?? at) < at - RATE_WINDOW_MS) this.#samples.shift();
  }

  #text(columns?: number): string {
    const { done, total, detail } = this.#state;
    const share = this.#state.share ?? (total ? Math.min(1, done / total) : undefined);
    const rate = this.#rate();
    const parts: string[] = [];
    if (share !== undefined) parts.push(percent(share).padStart(4));
    parts.push(total === undefined ? counted(done) : `${counted(done)} of ${counted(total)}`);
    if (rate > 0) parts.push(perSecond(rate));
    const leftMs = this.#leftMs(share);
    if (leftMs !== undefined) parts.push(`${span(leftMs)} left`);
    if (detail !== undefined) parts.push(detail);
    const rest = parts.join("  ");
    if (share === undefined || columns === undefined) return `${this.#label}  ${rest}`;
    const room = columns - widthOf(this.#label) - widthOf(rest) - 4;
    const width = BAR_WIDTHS.find((one) => one <= room);
    return [this.#label, ...(width === undefined ? [] : [bar(share, width)]), rest].join("  ");
  }

  #rate(): number {
    const first = this.#samples[0] ?? { at: this.#startedAt, done: 0 };
    const last = this.#samples.at(-1);
    if (last === undefined || last.at <= first.at)
      return (this.#state.done * 1000) / this.elapsedMs;
    return Math.max(0, ((last.done - first.done) * 1000) / (last.at - first.at));
  }

  #leftMs(share: number | undefined): number | undefined {
    const elapsedMs = this.elapsedMs;
    if (share === undefined || share <= 0 || share >= 1 || elapsedMs < 1000) return undefined;
    const left = Math.ceil((elapsedMs * (1 - share)) / share / 1000) * 1000;
    return left;
  }
}

function bar(share: number, width: number): string {
  const full = Math.round(share * width);
  return "█".repeat(full) + "░".repeat(width - full);
}
