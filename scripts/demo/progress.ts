// Live progress: a bar with the rate on a terminal, a few plain lines elsewhere.

import { counted, type Screen } from "./screen.ts";

const REDRAW_MS = 50;
/** So that the bar keeps its length: "10,000 per second". */
const RATE_WIDTH = 17;
const MAX_BAR = 60;
/** Plain lines that tell how far it is, the last of them at the end. */
const PLAIN_LINES = 4;

export class Progress implements Disposable {
  readonly #screen: Screen;
  readonly #total: number;
  readonly #startedAt = performance.now();
  readonly #timer: ReturnType<typeof setInterval> | undefined;
  #enqueued = 0;
  #embedded = 0;

  constructor(screen: Screen, total: number) {
    this.#screen = screen;
    this.#total = total;
    if (screen.isLive) this.#timer = setInterval(() => this.#draw(), REDRAW_MS);
  }

  get elapsedMs(): number {
    return performance.now() - this.#startedAt;
  }

  addEnqueued(count: number): void {
    this.#enqueued += count;
  }

  addEmbedded(): void {
    const before = this.#quarters();
    this.#embedded += 1;
    if (this.#screen.isLive || this.#quarters() === before) return;
    this.#screen.line(`  ${this.#counts()}, ${this.#rate()}`);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    if (this.#screen.isLive) this.#draw();
    this.#screen.keepLive();
  }

  #draw(): void {
    const figures = `${this.#counts()}  ${this.#rate().padStart(RATE_WIDTH)}`;
    const width = Math.min(MAX_BAR, this.#screen.columns - figures.length - 4);
    if (width < 10) {
      this.#screen.live(figures);
      return;
    }
    const place = (count: number) => Math.round((width * count) / this.#total);
    const done = place(this.#embedded);
    const waiting = Math.max(0, place(this.#enqueued) - done);
    const bar =
      this.#screen.style("green", "█".repeat(done)) +
      this.#screen.style("yellow", "▒".repeat(waiting)) +
      this.#screen.style("dim", "░".repeat(width - done - waiting));
    this.#screen.live(`${bar}  ${figures}`);
  }

  #counts(): string {
    const width = counted(this.#total).length;
    return `${counted(this.#embedded).padStart(width)} of ${counted(this.#total)} embedded`;
  }

  #rate(): string {
    return `${counted((this.#embedded / this.elapsedMs) * 1000)} per second`;
  }

  #quarters(): number {
    return Math.floor((PLAIN_LINES * this.#embedded) / this.#total);
  }
}
