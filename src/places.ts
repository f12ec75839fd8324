// Places for provider calls: how many may be under way at once in one worker.

export class Places {
  #count: number;
  readonly #onFree: () => void;
  /** Calls that are planned or under way. Written by book() and use(). */
  #booked = 0;
  #active = 0;
  readonly #queue: (() => void)[] = [];

  /** @param onFree Called whenever a booked call is over. */
  constructor(count: number, onFree: () => void) {
    this.#count = count;
    this.#onFree = onFree;
  }

  /** Places that nobody has booked; below zero where more was booked than there is. */
  get free(): number {
    return this.#count - this.#booked;
  }

  /**
   * Whether to claim texts for so many calls.
   *
   * @param isBacklogged Then no idle worker goes without for it, and one claim may be ahead: a place
   *   that becomes free is taken at once, where a claim would take it some milliseconds later.
   */
  hasRoomFor(calls: number, isBacklogged: boolean): boolean {
    // A last call that is not full may be held back: it needs no place of its own.
    const needed = isBacklogged ? 0 : Math.max(1, Math.floor(calls));
    return this.free >= needed;
  }

  /** Announces calls: what is claimed next sees their places as taken. */
  book(calls: number): void {
    this.#booked += calls;
  }

  /** No call begins any more: those in line go on to learn it. */
  open(): void {
    this.#count = Number.POSITIVE_INFINITY;
    for (const next of this.#queue.splice(0)) next();
  }

  /** Makes one booked call as soon as a place is free. */
  async use<T>(call: () => Promise<T>): Promise<T> {
    if (this.#active >= this.#count) {
      await new Promise<void>((resolve) => this.#queue.push(resolve));
    } else this.#active++;
    try {
      return await call();
    } finally {
      this.#booked--;
      const next = this.#queue.shift();
      // The place goes straight to the next in line.
      if (next === undefined) this.#active--;
      else next();
      this.#onFree();
    }
  }
}
