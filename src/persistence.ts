// Steps that Redis must take, repeated until it did: what the provider was paid for is kept.

import { EmbedqError } from "./model/errors.ts";
import { delay } from "./model/lifecycle.ts";

/** What the repeats need of the worker around them. */
export interface PersistenceContext {
  /** Raised when everything must end. */
  readonly abortSignal: AbortSignal;
  /** Redis does not take what must be stored, or does again: no work is claimed meanwhile. */
  onBlocked(isBlocked: boolean): void;
  /** Tells users what has failed. */
  report(action: string, error: unknown): void;
}

export class Persistence {
  readonly #context: PersistenceContext;

  constructor(context: PersistenceContext) {
    this.#context = context;
  }

  /**
   * Repeats a step until Redis took it. Ends with an error only when the worker must end.
   *
   * @param hurry Where it is raised, the step is tried once more at once; it then ends by itself.
   */
  async persist<T>(action: string, step: () => Promise<T>, hurry?: AbortSignal): Promise<T> {
    const { abortSignal } = this.#context;
    let isBlocked = false;
    try {
      for (let attempt = 0; ; attempt++) {
        try {
          return await step();
        } catch (error) {
          this.#context.report(action, error);
          if (!isBlocked) this.#context.onBlocked(true);
          isBlocked = true;
          const elapsed = await delay(pauseMs(attempt), hurry ?? abortSignal);
          if (!elapsed && abortSignal.aborted) throw error;
        }
      }
    } finally {
      if (isBlocked) this.#context.onBlocked(false);
    }
  }

  /** Redis refused some writes, for instance because it is out of memory: they are tried again. */
  async pauseBlocked(action: string, words: readonly unknown[], attempt: number): Promise<void> {
    const refused = words.find((word) => typeof word === "object") as { error: string } | undefined;
    const message = `Cannot ${action} as Redis refused it: ${refused?.error ?? "out of memory"}`;
    const error = new EmbedqError("ERR_REDIS_REPLY", message);
    this.#context.report(action, error);
    this.#context.onBlocked(true);
    const elapsed = await delay(pauseMs(attempt), this.#context.abortSignal);
    this.#context.onBlocked(false);
    if (!elapsed) throw error;
  }
}

/** The pause before a step is tried again. */
function pauseMs(attempt: number): number {
  return Math.min(5000, 100 * 2 ** attempt);
}
