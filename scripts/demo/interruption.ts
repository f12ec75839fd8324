// Ends the demo early and in order: on Ctrl-C, on SIGTERM and SIGHUP, and when a part of it breaks.

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

type EndingSignal = keyof typeof EXIT_CODES;

/** How long a write that is under way may keep an end from going on. */
const GRACE_MS = 1_000;

/** The reason of an end that somebody asked for. */
export class Interrupted extends Error {
  readonly exitCode: number;

  constructor(signal: EndingSignal) {
    super(`Stopped by ${signal}`);
    this.name = "Interrupted";
    this.exitCode = EXIT_CODES[signal];
  }
}

/**
 * Takes the signals from now until it is disposed of. All but the first are ignored: the clean-up
 * that the first one starts is bounded in time, and must not be cut short.
 */
export class Interruption implements Disposable {
  readonly #controller = new AbortController();
  readonly #listener = (name: NodeJS.Signals) => this.end(new Interrupted(name as EndingSignal));

  constructor() {
    for (const name of Object.keys(EXIT_CODES)) process.on(name, this.#listener);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Ends all waits of the demo with the reason; the first reason stays. */
  end(reason: Error): void {
    this.#controller.abort(reason);
  }

  [Symbol.dispose](): void {
    for (const name of Object.keys(EXIT_CODES)) process.off(name, this.#listener);
  }
}

/** The promise's value; the signal's reason as soon as it is raised; an error after `timeoutMs`. */
export async function within<T>(
  promise: Promise<T>,
  timeoutMs: number,
  what: string,
  signal?: AbortSignal,
): Promise<T> {
  const ended = Promise.withResolvers<never>();
  const onAbort = () => ended.reject(signal?.reason);
  const timer = setTimeout(
    () => ended.reject(new Error(`${what} took longer than ${timeoutMs} ms`)),
    timeoutMs,
  );
  if (signal?.aborted) onAbort();
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([promise, ended.promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

/**
 * {@link within} for what writes to Redis: where it is ended early, it first gets a moment to come
 * to its end, or it would write after the clean-up.
 */
export async function orderly<T>(
  promise: Promise<T>,
  timeoutMs: number,
  what: string,
  signal: AbortSignal,
): Promise<T> {
  try {
    return await within(promise, timeoutMs, what, signal);
  } catch (error) {
    await within(promise, GRACE_MS, what).catch(() => {
      // What counts is the first error.
    });
    throw error;
  }
}
