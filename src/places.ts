// Places for provider calls: how many may be under way at once in one worker.

export class Places {
  readonly #count: number;
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

  /** Announces calls: what is claimed next sees their places as taken. */
  book(calls: number): void {
    this.#booked += calls;
  }

  /** Makes one booked call as soon as a place is free. */
  async use(call: () => Promise<void>): Promise<void> {
    if (this.#active >= this.#count) {
      await new Promise<void>((resolve) => this.#queue.push(resolve));
    } else this.#active++;
    try {
      await call();
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
