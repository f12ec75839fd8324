// Waits for a condition instead of sleeping, and says what it waited for when it does not come.

import { setTimeout as pause } from "node:timers/promises";
import { inspect } from "node:util";

export interface UntilOptions {
  /** What is waited for, as the words after "waited for". */
  readonly what: string;
  /** @default 5000 */
  readonly timeoutMs?: number;
  /** The pause between two looks. @default 5 */
  readonly everyMs?: number;
}

/**
 * Looks at a condition again and again until it is truthy. A throw counts as "not yet", so a
 * condition may be a bundle of `expect` calls that ends in `return true`.
 *
 * @returns The truthy value.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  { what, timeoutMs = 5_000, everyMs = 5 }: UntilOptions,
): Promise<T> {
  const end = AbortSignal.timeout(timeoutMs);
  const expired = new Promise<never>((_, reject) => {
    end.addEventListener("abort", () => reject(end.reason), { once: true });
  });
  expired.catch(() => {});
  let last: unknown;
  while (!end.aborted) {
    try {
      // The race bounds a condition that hangs.
      const value = await Promise.race([condition(), expired]);
      if (value) return value;
      last = value;
    } catch (error) {
      if (error !== end.reason) last = error;
    }
    await pause(everyMs);
  }
  throw new Error(`waited ${timeoutMs} ms for ${what}; last value: ${inspect(last)}`);
}
