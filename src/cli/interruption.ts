// Ctrl-C and its kin: the first ends the command in order, the second at once.

import { setMaxListeners } from "node:events";
import process from "node:process";
import { SIGNAL_EXIT } from "./exit-codes.ts";

type SignalName = keyof typeof SIGNAL_EXIT;

const SIGNALS = Object.keys(SIGNAL_EXIT) as SignalName[];
/** npx and the like pass a signal on that the terminal has sent us as well: that is still the first. */
const SAME_SIGNAL_MS = 300;

/** The reason that {@link Interruption.signal} is raised with. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  readonly exitCode: number;

  constructor(signal: SignalName) {
    super(`Interrupted by ${signal}`);
    this.exitCode = SIGNAL_EXIT[signal];
  }
}

/** Listens to the signals until it is disposed of. */
export class Interruption {
  readonly #controller = new AbortController();
  readonly #listeners: readonly [SignalName, () => void][];
  #firstAt = Number.NEGATIVE_INFINITY;

  constructor() {
    // Whoever waits listens; from the eleventh on Node would warn of a leak.
    setMaxListeners(0, this.#controller.signal);
    this.#listeners = SIGNALS.map((signal) => [signal, () => this.#take(signal)]);
    for (const [signal, listener] of this.#listeners) process.on(signal, listener);
  }

  /** Raised at the first signal, with an {@link Interrupted}. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  end(): void {
    for (const [signal, listener] of this.#listeners) process.off(signal, listener);
  }

  #take(signal: SignalName): void {
    const now = performance.now();
    if (!this.signal.aborted) {
      this.#firstAt = now;
      this.#controller.abort(new Interrupted(signal));
    } else if (now - this.#firstAt > SAME_SIGNAL_MS) {
      process.exit(SIGNAL_EXIT[signal]);
    }
  }
}
