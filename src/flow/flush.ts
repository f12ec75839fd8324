// Draining now what would otherwise wait for a full batch or the timer.

import type { Wakeup } from "../model/lifecycle.ts";
import type { FlushResult } from "../model/outcome.ts";
import type { Link } from "../redis/link.ts";
import { asList } from "../redis/replies.ts";
import { countUpTo, runFlush } from "../redis/scripts/state.ts";

/** How often the stream is looked at although no ring was heard: rings are hints. */
const RECHECK_MS = 1000;

/** Makes everything due that waits; the last entry, or undefined where nothing is outstanding. */
export function flushNow(link: Link): Promise<string | undefined> {
  return runFlush(link);
}

/**
 * Waits until nothing is left of what was outstanding at the call: waiting, in flight and parked alike.
 *
 * @param wakeup Rung when a flush may be through.
 */
export async function flushAndWait(
  link: Link,
  wakeup: Wakeup,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<FlushResult> {
  const endsAt = performance.now() + timeoutMs;
  const lastId = await runFlush(link);
  if (lastId === undefined) return { done: true, remaining: 0 };
  const onAbort = () => wakeup.ring();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    for (;;) {
      signal.throwIfAborted();
      const first = await link.send(["XRANGE", link.keys.pending, "-", lastId, "COUNT", "1"]);
      if (asList(first).length === 0) return { done: true, remaining: 0 };
      const leftMs = endsAt - performance.now();
      if (leftMs <= 0) break;
      await wakeup.wait(Math.min(leftMs, RECHECK_MS));
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
  const remaining = await countUpTo(link, lastId);
  return { done: remaining === 0, remaining };
}
