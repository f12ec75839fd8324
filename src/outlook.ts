// What the last claim told a worker of the queue and of the others.

import type { ClaimReply } from "./flow/claim.ts";

export class Outlook {
  maxBatchSize: number;
  workers = 1;
  /** Texts that may have killed their workers wait for one with nothing else in flight. */
  hasSuspects = false;
  /** More waits than all workers claim next. */
  isBacklogged = false;
  /** All that was due is taken: the doorbell tells of what comes. */
  isCaughtUp = false;

  constructor(maxBatchSize: number) {
    this.maxBatchSize = maxBatchSize;
  }

  /** @param max The most texts that the claim asked for. */
  note(reply: ClaimReply, max: number): void {
    this.maxBatchSize = reply.maxBatchSize;
    this.workers = reply.workers;
    this.hasSuspects = reply.suspects > 0;
    this.isBacklogged = reply.waiting >= reply.workers * reply.maxBatchSize;
    this.isCaughtUp = max > 0 && !leavesMore(reply);
  }
}

/** Whether there may be more that is due: not where new entries were taken, and all there are. */
function leavesMore({ state, reason, waiting }: ClaimReply): boolean {
  if (state === "settings") return true;
  return state === "work" && (waiting > 0 || reason === "" || reason === "retry");
}

/** How long nothing will be due; 0 where there may be more at once. */
export function restMsOf(reply: ClaimReply): number {
  if (leavesMore(reply)) return 0;
  const named = reply.sleepMs < 0 ? Number.POSITIVE_INFINITY : reply.sleepMs;
  // What others gave back is due at a time that Redis could not name cheaply.
  const unnamed = reply.pending > 0 ? reply.leaseMs / 2 : Number.POSITIVE_INFINITY;
  return Math.min(named, unnamed);
}
