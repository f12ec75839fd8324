// How long a failed text waits before its next attempt. Pure: chance is handed in.

/** The wait before a retry: `baseMs × factor^(attempt − 1)`, at most `maxMs`, with full jitter. */
export interface Backoff {
  /** The longest first wait, in milliseconds. @default 1000 */
  readonly baseMs: number;
  /** Growth from one attempt to the next. @default 2 */
  readonly factor: number;
  /** The longest wait, in milliseconds; the lease bounds it too. @default 30000 */
  readonly maxMs: number;
}

/** The backoff of a worker that asks for nothing else. */
export const DEFAULT_BACKOFF: Backoff = { baseMs: 1000, factor: 2, maxMs: 30_000 };

/**
 * Draws the wait before attempt `attempt + 1`.
 *
 * @param attempt How many attempts have failed, from 1.
 * @param random A number in [0, 1).
 */
export function backoffMs(backoff: Backoff, attempt: number, random: number): number {
  if (backoff.baseMs === 0) return 0; // zero times an infinite factor is not a number
  const ceiling = Math.min(backoff.maxMs, backoff.baseMs * backoff.factor ** (attempt - 1));
  return Math.floor(ceiling * random);
}
