// When a worker may call the provider: the pause that all workers share, and one of its own.

import { asError, EmbedderError } from "./model/errors.ts";
import type { EventEmitter } from "./model/events.ts";

export class Pauses {
  readonly worker: string;
  readonly #events: EventEmitter;
  readonly #bounds: { readonly baseMs: number; readonly maxMs: number };
  /** By this process' monotonic clock. Redis' own clock decides at the claim; this only spares calls. */
  #sharedUntil = 0;
  /** How often the shared pause was told of. */
  #shares = 0;
  #ownSince = 0;
  #ownUntil = 0;
  /** How often in a row this worker was at fault itself. */
  #faults = 0;

  constructor(
    worker: string,
    events: EventEmitter,
    bounds: { readonly baseMs: number; readonly maxMs: number },
  ) {
    this.worker = worker;
    this.#events = events;
    this.#bounds = bounds;
  }

  /** How long this worker itself makes no claims, in milliseconds. */
  get ownMs(): number {
    return Math.max(0, this.#ownUntil - performance.now());
  }

  /**
   * The same, after a look at whether somebody has resumed the queue: that is rung, and rings can be missed.
   *
   * @param wasResumedWithin Asks Redis whether it was within the last so many milliseconds.
   */
  async leftMs(wasResumedWithin: (ms: number) => Promise<boolean>): Promise<number> {
    if (this.ownMs > 0 && (await wasResumedWithin(performance.now() - this.#ownSince))) {
      this.endOwn();
    }
    return this.ownMs;
  }

  /** After an own fault, one call at a time tries whether it is mended. */
  get isProbing(): boolean {
    return this.#faults > 0;
  }

  /** Why no call may begin now, if so. */
  obstacle(): Error | undefined {
    const leftMs = Math.max(this.#sharedUntil - performance.now(), this.ownMs);
    if (leftMs <= 0) return undefined;
    return new EmbedderError(
      "unavailable",
      `The provider is left alone for ${Math.ceil(leftMs)} ms`,
    );
  }

  /** The shared pause has been set, here or by another worker. */
  share(ms: number): void {
    // It may come from the doorbell, which is open to everybody.
    if (!Number.isFinite(ms)) return;
    this.#shares++;
    this.#sharedUntil = Math.max(this.#sharedUntil, performance.now() + ms);
  }

  /** To be taken before a claim is sent: a pause that is told of later may be younger than its reply. */
  mark(): number {
    return this.#shares;
  }

  /** Ends the shared pause; with a mark, only one that was known then. */
  endShared(mark: number = this.#shares): void {
    if (mark === this.#shares) this.#sharedUntil = 0;
  }

  /**
   * This worker is at fault itself: it waits, longer each time, and tries again. Returns for how long,
   * in milliseconds; undefined where it waits already.
   */
  pauseOwn(error: unknown, askedMs: number | undefined): number | undefined {
    // Calls that were under way together are one fault.
    if (this.ownMs > 0) return undefined;
    const pauseMs =
      askedMs ?? Math.min(this.#bounds.maxMs, this.#bounds.baseMs * 2 ** this.#faults);
    this.#faults++;
    this.#ownSince = performance.now();
    this.#ownUntil = this.#ownSince + pauseMs;
    this.#events.emit("worker:paused", { worker: this.worker, pauseMs, error: asError(error) });
    return pauseMs;
  }

  /** The fault may be mended, somebody says: one call at a time tries it now. */
  endOwn(): void {
    this.#ownUntil = 0;
  }

  /** A call came through. */
  resume(): void {
    if (this.#faults === 0) return;
    this.#faults = 0;
    this.#ownUntil = 0;
    this.#events.emit("worker:resumed", { worker: this.worker });
  }
}
