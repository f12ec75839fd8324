// When a worker must look into the group again although nobody rings: retries of its own whose
// backoff ends, and abandoned work after a pause. Hints: Redis' idle times decide.

export class Agenda {
  /** By the monotonic clock. Written by expect(), cleared by the claims that came later. */
  readonly #dueTimes = new Set<number>();
  #reclaimsFrom = 0;

  /** Something of this worker's is due again after this time. */
  expect(ms: number): void {
    // Redis counts idle time in whole milliseconds: not a moment too early.
    this.#dueTimes.add(Math.ceil(performance.now() + ms) + 2);
  }

  /** Others' work is let be for this long. */
  holdOff(ms: number): void {
    this.#reclaimsFrom = performance.now() + ms;
  }

  /** Whether abandoned work may be looked for. */
  get reclaims(): boolean {
    return performance.now() >= this.#reclaimsFrom;
  }

  /**
   * After a claim that found nothing: how long until the next look.
   *
   * @param askedAt When that claim was sent: what became due after it has not been looked for.
   * @param reclaimed Whether it looked into the group at all.
   */
  restMs(askedAt: number, reclaimed: boolean): number {
    if (reclaimed) {
      for (const dueAt of this.#dueTimes) if (dueAt <= askedAt) this.#dueTimes.delete(dueAt);
    } else {
      this.#dueTimes.add(this.#reclaimsFrom);
    }
    return Math.min(...this.#dueTimes) - performance.now();
  }
}
