// How a worker sleeps: until the doorbell says that work is due, something in its own process
// changed, or the time is over.

import { delay, Wakeup } from "./model/lifecycle.ts";

/** The longest sleep: covers a lost ring, and keeps timers below JavaScript's limit. */
const SAFETY_CHECK_MS = 60_000;
/** Workers that are rung together come one after the other, so that one claim serves the ring. */
const JITTER_PER_WORKER_MS = 2;
const MAX_JITTER_MS = 100;

export class Sleeper {
  readonly #wakeup = new Wakeup();
  readonly #stop: AbortSignal;
  /** Counted by ring() and nudge(); compared with what they were when the claim was sent. */
  #rings = 0;
  #nudges = 0;
  #isNudgeComing = false;
  /** Counted by taken(): another worker's claim has served the last ring. */
  #taken = 0;

  constructor(stop: AbortSignal) {
    this.#stop = stop;
    stop.addEventListener("abort", () => this.nudge(), { once: true });
  }

  /** Work may be due, for any worker. */
  ring(): void {
    this.#rings++;
    this.#wakeup.ring();
  }

  /** This worker itself must look again: now, or within a time, once for all who ask meanwhile. */
  nudge(withinMs = 0): void {
    if (withinMs > 0) this.#nudgeLater(withinMs);
    else {
      this.#nudges++;
      this.#wakeup.ring();
    }
  }

  #nudgeLater(ms: number): void {
    if (this.#isNudgeComing) return;
    this.#isNudgeComing = true;
    void delay(ms, this.#stop).then(() => {
      this.#isNudgeComing = false;
      this.nudge();
    });
  }

  /** Nothing that is due is left. */
  taken(): void {
    this.#taken++;
  }

  /** To be taken before the claim is sent, so that no ring during the claim is lost. */
  mark(): SleepMark {
    return { rings: this.#rings, nudges: this.#nudges };
  }

  /** Sleeps until this worker should claim again. */
  async sleep(ms: number, mark: SleepMark, workers: number): Promise<void> {
    const endsAt = performance.now() + Math.min(ms, SAFETY_CHECK_MS);
    let heard = mark.rings;
    while (this.#nudges === mark.nudges && !this.#stop.aborted) {
      if (this.#rings !== heard) {
        heard = this.#rings;
        if (await this.#isFirst(workers)) return;
        continue;
      }
      const leftMs = endsAt - performance.now();
      if (leftMs <= 0) return;
      await this.#wakeup.wait(leftMs);
    }
  }

  /** False where another worker came first and left nothing. */
  async #isFirst(workers: number): Promise<boolean> {
    if (workers < 2) return true;
    const { taken, most } = {
      taken: this.#taken,
      most: Math.min(MAX_JITTER_MS, JITTER_PER_WORKER_MS * workers),
    };
    await delay(Math.random() * most, this.#stop);
    return this.#taken === taken;
  }
}

/** What had been heard at one moment. */
export interface SleepMark {
  readonly rings: number;
  readonly nudges: number;
}
