// Stage 2: entries become jobs held by lease, new and abandoned ones through one door. Redis' own
// XCLAIM means only the second kind.

import type { Job } from "../model/job.ts";
import { spaceTag, type VectorSpace } from "../model/settings.ts";
import type { Usage } from "../model/usage.ts";
import type { Link } from "../redis/link.ts";
import { type ClaimReply, runClaim } from "../redis/scripts/claim.ts";
import { runAdopt, runRenew } from "../redis/scripts/lease.ts";
import { runStatus } from "../redis/scripts/state.ts";

export type { ClaimReply } from "../redis/scripts/claim.ts";

interface Held {
  readonly job: Job;
  /** When the claim or the last renewal that Redis confirmed was sent, by this process' monotonic clock. */
  confirmedAt: number;
  /** Another worker has taken it over; told once. */
  isLost: boolean;
}

/**
 * What one worker holds. Written by claim, adopt, renew and release; read by everybody who must
 * know whether a job is still this worker's.
 *
 * A lease is certain while less time has passed since its last confirmed claim or renewal than
 * Redis lets it stand. The time counts from when the command was sent, so it errs on the safe side.
 */
export class Leases {
  readonly worker: string;
  readonly #link: Link;
  readonly #onLost: (jobs: readonly Job[]) => void;
  readonly #held = new Map<string, Held>();
  #leaseMs: number;
  /** Set when a claim's reply was lost: Redis may hold work under this name that nobody knows of. */
  #mustAdopt = false;

  /** @param onLost Told once of each job that another worker has taken over. */
  constructor(link: Link, worker: string, leaseMs: number, onLost: (jobs: readonly Job[]) => void) {
    this.#link = link;
    this.worker = worker;
    this.#leaseMs = leaseMs;
    this.#onLost = onLost;
  }

  get leaseMs(): number {
    return this.#leaseMs;
  }

  /** As the queue has it by now; claims tell it too, but a busy worker makes none. */
  set leaseMs(leaseMs: number) {
    this.#leaseMs = leaseMs;
  }

  /**
   * Takes work, at most `max` texts, and tells Redis what was counted since the last claim. After a
   * lost reply the same is told again: usage is counted at least once.
   *
   * @returns The reply, its jobs without those that this worker holds already (its own lease that ran out and came back).
   */
  async claim(order: {
    readonly max: number;
    readonly isAlone: boolean;
    readonly reclaims: boolean;
    readonly space: VectorSpace;
    readonly usage?: Usage | undefined;
  }): Promise<ClaimReply> {
    const { usage } = order;
    const sentAt = performance.now();
    try {
      const reply = await runClaim(this.#link, {
        worker: this.worker,
        max: order.max,
        isAlone: order.isAlone,
        reclaims: order.reclaims,
        space: spaceTag(order.space),
        usage: usage?.take(),
      });
      if (reply.isCounted) usage?.confirm();
      if (reply.reason !== "") usage?.noteClaim(reply.reason);
      this.#leaseMs = reply.leaseMs;
      return { ...reply, jobs: this.#hold(reply.jobs, sentAt) };
    } catch (error) {
      this.#mustAdopt = true;
      throw error;
    }
  }

  /** Takes over what a claim with a lost reply left under this name; undefined where there was no such claim. */
  async adopt(): Promise<readonly Job[] | undefined> {
    if (!this.#mustAdopt) return undefined;
    const sentAt = performance.now();
    const jobs = await runAdopt(this.#link, this.worker, this.#held.keys());
    this.#mustAdopt = false;
    return this.#hold(jobs, sentAt);
  }

  /** Lets go of jobs; not of the same entries where they were claimed anew meanwhile. */
  release(jobs: readonly Job[]): void {
    for (const job of jobs) {
      if (this.#held.get(job.entryId)?.job === job) this.#held.delete(job.entryId);
    }
  }

  /** Holds a job again that was to go back and did not. */
  keep(job: Job): void {
    this.#hold([job], performance.now());
  }

  /** Renews what is held. */
  async renew(): Promise<void> {
    const ids = [...this.#held].filter(([, { isLost }]) => !isLost).map(([id]) => id);
    if (ids.length === 0) return;
    const sentAt = performance.now();
    const lost = new Set(await runRenew(this.#link, this.worker, ids));
    const lostJobs: Job[] = [];
    for (const id of ids) {
      const held = this.#held.get(id);
      // Two renewals may be under way at once: what one of them lost is told once.
      if (held === undefined || held.isLost) continue;
      held.isLost = lost.has(id);
      if (held.isLost) lostJobs.push(held.job);
      else held.confirmedAt = Math.max(held.confirmedAt, sentAt);
    }
    if (lostJobs.length > 0) this.#onLost(lostJobs);
  }

  /**
   * The jobs whose results may be written. Where the lease is not certain, it is renewed first, and
   * what the queue no longer wants is left out: writing it could bring back a deleted destination.
   */
  async stillWanted(jobs: readonly Job[]): Promise<readonly Job[]> {
    if (jobs.every((job) => this.#isCertain(job))) return jobs;
    await this.renew();
    const versions = await runStatus(
      this.#link,
      jobs.map(({ key }) => key),
    );
    return jobs.filter((job, i) => this.#isCertain(job) || versions[i] === job.version);
  }

  #isCertain({ entryId }: Job): boolean {
    const held = this.#held.get(entryId);
    if (held === undefined || held.isLost) return false;
    return performance.now() - held.confirmedAt < this.#leaseMs;
  }

  #hold(jobs: readonly Job[], sentAt: number): readonly Job[] {
    const fresh = jobs.filter(({ entryId }) => !this.#held.has(entryId));
    for (const job of jobs) {
      const held = this.#held.get(job.entryId);
      this.#held.set(job.entryId, { job: held?.job ?? job, confirmedAt: sentAt, isLost: false });
    }
    return fresh;
  }
}
