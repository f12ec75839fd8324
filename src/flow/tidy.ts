// Keeping the queue's data true and bounded: lost entries, dead consumers, outstanding work that
// nobody wants any more; and the look at it all from outside.

import type { CancelResult } from "../model/outcome.ts";
import type { QueueStats, WorkerPause } from "../model/stats.ts";
import { queueUsageOf, type Usage, workerUsageOf } from "../model/usage.ts";
import type { Link } from "../redis/link.ts";
import { runInspect, type Strays } from "../redis/scripts/inspect.ts";
import { runCancel } from "../redis/scripts/settle.ts";
import { runRepair, runStats, runSweep } from "../redis/scripts/state.ts";

/**
 * A consumer that holds nothing and was not seen for this long is removed. A live worker comes by
 * every minute, and one that is removed all the same only registers again.
 */
export const DEAD_AFTER_MS = 600_000;

/** Gives entries to work that has lost its own; returns how much there was. */
export function repairQueue(link: Link): Promise<number> {
  return runRepair(link);
}

/** Counts what has lost what it belongs to; changes nothing. */
export function findStrays(link: Link, signal: AbortSignal | undefined): Promise<Strays> {
  return runInspect(link, false, signal);
}

/** Mends what {@link findStrays} finds. */
export async function mendStrays(link: Link, signal: AbortSignal | undefined): Promise<void> {
  // Repair comes second: a text whose entry was taken away then gets a new one.
  await runInspect(link, true, signal);
  await runRepair(link);
}

/** Removes consumers of workers that are gone. */
export function sweepConsumers(link: Link): Promise<number> {
  return runSweep(link, undefined, DEAD_AFTER_MS);
}

/**
 * Removes a worker's own consumer, unless work stands under its name: that is for others to take over.
 *
 * @param usage What the worker has counted; the part that no claim has told is told now.
 */
export function leaveGroup(link: Link, worker: string, usage?: Usage): Promise<number> {
  return runSweep(link, worker, DEAD_AFTER_MS, usage?.take());
}

/** Takes outstanding work away; for each key what was found. */
export function cancelWork(link: Link, keys: readonly string[]): Promise<readonly CancelResult[]> {
  return runCancel(link, keys);
}

/** The queue's state at one moment. */
export async function readStats(link: Link): Promise<QueueStats> {
  const state = await runStats(link);
  return {
    waiting: state.entries - state.pending,
    inFlight: state.pending - state.parked,
    parked: state.parked,
    pending: state.entries,
    oldestWaitingMs: state.oldestWaitingMs < 0 ? undefined : state.oldestWaitingMs,
    dead: state.dead,
    deadDropped: state.deadDropped,
    isPaused: state.isPaused,
    cooldownMs: state.cooldownMs,
    cooldownReason: state.cooldownMs > 0 ? state.usage.get("cooldown") : undefined,
    workers: state.consumers.map(({ name, pending, idleMs }) => ({
      name,
      inFlight: pending,
      idleMs,
      pause: pauseOf(state.usage.get(`pause:${name}`), state),
      usage: workerUsageOf(state.usage.get(`worker:${name}`)),
    })),
    usage: queueUsageOf(state.usage),
  };
}

/** What a worker has noted of its own pause, unless that is over or the queue was resumed since. */
function pauseOf(
  note: string | undefined,
  { nowMs, resumedAtMs }: { readonly nowMs: number; readonly resumedAtMs: number },
): WorkerPause | undefined {
  const [, sinceMs, untilMs, reason] = /^(\d+) (\d+) (.*)$/.exec(note ?? "") ?? [];
  const leftMs = Number(untilMs) - nowMs;
  if (reason === undefined || Number(sinceMs) < resumedAtMs || leftMs <= 0) return undefined;
  return { leftMs, reason };
}
