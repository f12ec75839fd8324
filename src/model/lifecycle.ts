// Starting and stopping exactly once, and the two ways of waiting that end.

import { EmbedqError } from "./errors.ts";
import { ownController } from "./signals.ts";

/**
 * The life of something that is started and stopped.
 *
 * - `start` runs its task once, however often it is called; after a failed start it may be called again.
 * - `stop` may come before, during or after `start`, and twice; it ends the signal first.
 * - A stopped one stays stopped.
 */
export class Lifecycle {
  readonly #what: string;
  readonly #abort = ownController();
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
  #isStarted = false;

  constructor(what: string) {
    this.#what = what;
  }

  /** Raised when a stop begins. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get isStopping(): boolean {
    return this.#stopping !== undefined;
  }

  /** True from the end of a successful start to the beginning of the stop. */
  get isRunning(): boolean {
    return this.#isStarted && !this.isStopping;
  }

  /** @throws {EmbedqError} `ERR_STOPPED` after a stop. */
  start(task: () => Promise<void>): Promise<void> {
    if (this.isStopping) return Promise.reject(this.#stoppedError("start"));
    this.#starting ??= task().then(
      () => {
        this.#isStarted = true;
      },
      (error: unknown) => {
        this.#starting = undefined;
        throw error;
      },
    );
    return this.#starting;
  }

  /** Runs the task once, after a start under way has come to its end; the task also runs after a failed start. */
  stop(task: () => Promise<void>): Promise<void> {
    if (this.#stopping !== undefined) return this.#stopping;
    let raised = () => {};
    // Assigned before the signal is raised: a listener of it may call stop() again.
    this.#stopping = new Promise<void>((resolve) => {
      raised = resolve;
    }).then(async () => {
      await this.#starting?.catch(() => {
        // The caller of start() has this error; stopping goes on.
      });
      await task();
    });
    this.#abort.abort(this.#stoppedError("continue"));
    raised();
    return this.#stopping;
  }

  /** @throws {EmbedqError} `ERR_NOT_STARTED` or `ERR_STOPPED`. */
  assertRunning(action: string): void {
    if (this.isStopping) throw this.#stoppedError(action);
    if (!this.#isStarted) {
      throw new EmbedqError(
        "ERR_NOT_STARTED",
        `Cannot ${action} as the ${this.#what} is not started: call start() first`,
      );
    }
  }

  #stoppedError(action: string): EmbedqError {
    return new EmbedqError("ERR_STOPPED", `Cannot ${action} as the ${this.#what} was stopped`);
  }
}

/** Waits, at most until the signal is raised; true when the time ran out, false when it was raised. */
export function delay(ms: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(false);
    const finish = (elapsed: boolean) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      resolve(elapsed);
    };
    const onAbort = () => finish(false);
    const timer = setTimeout(() => finish(true), ms);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

/** Rings that are never lost: one that comes while nobody waits ends the next wait at once. */
export class Wakeup {
  #pending = false;
  #wake: (() => void) | undefined;

  ring(): void {
    if (this.#wake === undefined) this.#pending = true;
    else this.#wake();
  }

  /** Ends at the next ring or after `ms`; one waiter at a time. */
  async wait(ms: number): Promise<void> {
    if (!this.#pending) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = undefined;
    }
    this.#pending = false;
  }
}
