// The pause that all workers share while the provider is away or asks for one; and word of the pauses
// that workers make by their own fault.

import type { Trouble } from "../model/trouble.ts";
import type { Link } from "../redis/link.ts";
import {
  forgetPause,
  type OwnPause,
  runEndCooldown,
  runNotePause,
  runReturnProbe,
  runStartCooldown,
} from "../redis/scripts/cooldown.ts";

/**
 * Begins or prolongs the shared pause; returns how long it lasts, in milliseconds.
 *
 * @param reason Why, fit to be shown.
 */
export function startCooldown(
  link: Link,
  trouble: Trouble,
  options: { readonly baseMs: number; readonly maxMs: number },
  isProbe: boolean,
  reason: string,
): Promise<number> {
  return runStartCooldown(link, {
    askedMs: trouble.retryAfterMs,
    baseMs: options.baseMs,
    maxMs: options.maxMs,
    isProbe,
    random: Math.random(),
    reason,
  });
}

/** Ends the shared pause after a call that succeeded. */
export function endCooldown(link: Link): Promise<boolean> {
  return runEndCooldown(link);
}

/** Lets another worker make the call that tries after a pause. */
export function returnProbe(link: Link): Promise<void> {
  return runReturnProbe(link);
}

/** Leaves word of a worker's own pause, for those who look at the queue. */
export function notePause(link: Link, pause: OwnPause): Promise<void> {
  return runNotePause(link, pause);
}

/** A worker's own pause ended before its time. */
export function endPause(link: Link, worker: string): Promise<void> {
  return forgetPause(link, worker);
}
