// Bounds for what the demo waits for: a time, and a signal.

/** How long a write that is under way may keep an end from going on. */
const GRACE_MS = 1_000;

/** The promise's value; the signal's reason as soon as it is raised; an error after `timeoutMs`. */
export async function within<T>(
  promise: Promise<T>,
  timeoutMs: number,
  what: string,
  signal?: AbortSignal,
): Promise<T> {
  let settle: (() => void) | undefined;
  const ended = new Promise<never>((_, reject) => {
    const onAbort = () => reject(signal?.reason);
    const timer = setTimeout(
      () => reject(new Error(`${what} took longer than ${timeoutMs} ms`)),
      timeoutMs,
    );
    if (signal?.aborted) onAbort();
    signal?.addEventListener("abort", onAbort, { once: true });
    settle = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    };
  });
  try {
    return await Promise.race([promise, ended]);
  } finally {
    settle?.();
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
