// The pause that all workers share while the provider is away or asks for one.

import type { Trouble } from "../model/trouble.ts";
import type { Link } from "../redis/link.ts";
import { runEndCooldown, runReturnProbe, runStartCooldown } from "../redis/scripts/cooldown.ts";

/** Begins or prolongs the shared pause; returns how long it lasts, in milliseconds. */
export function startCooldown(
  link: Link,
  trouble: Trouble,
  options: { readonly baseMs: number; readonly maxMs: number },
  isProbe: boolean,
): Promise<number> {
  return runStartCooldown(link, {
    askedMs: trouble.retryAfterMs,
    baseMs: options.baseMs,
    maxMs: options.maxMs,
    isProbe,
    random: Math.random(),
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
