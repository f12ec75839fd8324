// The ends that a text can have: stored and settled, given back, or given up. Each step is repeated
// until Redis took it: what the provider was paid for is kept.

import type { Leases } from "./flow/claim.ts";
import { areOutstanding, failJobs, giveUpJobs, ringGone, settleJobs } from "./flow/settle.ts";
import {
  areWritten,
  type EmbeddedJob,
  type WriteStage,
  writeDeadMarks,
  writeEmbeddings,
} from "./flow/write.ts";
import { backoffMs } from "./model/backoff.ts";
import { EmbedqError } from "./model/errors.ts";
import type { Job } from "./model/job.ts";
import { reasonOf } from "./model/scrub.ts";
import type { VectorSpace } from "./model/settings.ts";
import type { Usage } from "./model/usage.ts";
import { Persistence, type PersistenceContext } from "./persistence.ts";
import type { Session } from "./session.ts";

/** What the ends need of the worker around them. */
export interface EndingsContext extends PersistenceContext {
  readonly session: Session;
  readonly leases: Leases;
  readonly space: VectorSpace;
  readonly usage: Usage;
  /** Raised when no further call may begin. */
  readonly stopSignal: AbortSignal;
  /** This many texts went back because the worker stops. */
  onHandedBack(count: number): void;
  /** Something is due again after this time. */
  wakeIn(ms: number): void;
}

/** A text whose attempts are over, and why. */
export interface Burial {
  readonly job: Job;
  readonly reason: string;
  readonly attempts: number;
}

/** A text that goes back to the queue: with an attempt spent, or without. */
export interface Return {
  readonly status: "failed" | "deferred";
  readonly job: Job;
  readonly error: Error;
  /** For a deferred text: when it is due again. @default at once */
  readonly afterMs?: number;
}

export class Endings {
  readonly #context: EndingsContext;
  readonly #steps: Persistence;
  /** Texts that were not embedded. */
  errors = 0;
  firstError: Error | undefined;

  constructor(context: EndingsContext) {
    this.#context = context;
    this.#steps = new Persistence(context);
  }

  /** Counts a text that is not embedded this time. */
  note(error: Error): void {
    this.errors++;
    this.firstError ??= error;
  }

  /** Of jobs that were delivered before: those whose results are stored, so that only the settle is missing. */
  async alreadyStored(jobs: readonly Job[]): Promise<readonly Job[]> {
    if (jobs.length === 0) return [];
    const stored = await this.#steps.persist("read", () => areWritten(this.#writeStage(), jobs));
    return jobs.filter((_, i) => stored[i]);
  }

  /** Writes vectors (none: the zero vector of a blank text), then lets go of the work. */
  async store(embedded: readonly EmbeddedJob[]): Promise<void> {
    const { leases, session } = this.#context;
    const jobs = embedded.map(({ job }) => job);
    const wanted = new Set(await this.#steps.persist("renew", () => leases.stillWanted(jobs)));
    // What the queue no longer wants is not written, only let go of.
    await this.#letGo(jobs.filter((job) => !wanted.has(job)));
    const settled: Job[] = [];
    const buried: Burial[] = [];
    let left = embedded.filter(({ job }) => wanted.has(job));
    for (let attempt = 0; left.length > 0; attempt++) {
      const page = left;
      const words = await this.#steps.persist("write", () =>
        writeEmbeddings(this.#writeStage(), page),
      );
      left = [];
      const missing: Job[] = [];
      page.forEach((item, i) => {
        const word = words[i];
        const { job } = item;
        if (typeof word === "object") left.push(item);
        else if (word === "wrongtype" || word === "forbidden") {
          const reason =
            word === "wrongtype"
              ? "the destination is not a hash"
              : "this Redis user may not write the destination";
          buried.push({ job, reason, attempts: job.attempts });
        } else {
          settled.push(job);
          if (word === "missing") missing.push(job);
        }
      });
      // Let go of what is stored before waiting for the rest: it frees memory.
      await this.settle(settled.splice(0));
      for (const { key, version } of missing) session.events.emit("text:skipped", { key, version });
      await this.#ringGone(missing);
      if (left.length > 0) await this.#steps.pauseBlocked("write", words, attempt);
    }
    for (const { reason } of buried) this.note(new Error(reason));
    await this.bury(buried);
  }

  /** Attempts that failed, and texts that go back without one. */
  async giveBack(results: readonly Return[]): Promise<void> {
    if (results.length === 0) return;
    const { session, leases, stopSignal } = this.#context;
    // One chance for all: what failed together is due together, and makes a batch again.
    const random = Math.random();
    const failures = results.map(({ status, job, afterMs = 0 }) => ({
      ...job,
      spendsAttempt: status === "failed",
      backoffMs: Math.round(
        status === "failed"
          ? backoffMs(session.options.backoff, job.attempts + 1, random)
          : Math.min(afterMs, session.settings.leaseMs),
      ),
    }));
    // Other workers may take over at once what this one cannot do.
    // Before the script: a claim that gets such a text again, even before this reply, gets it anew.
    leases.release(results.map(({ job }) => job));
    const rings = stopSignal.aborted || results.some(({ status }) => status === "deferred");
    const replies = await this.#steps.persist("give back", () =>
      failJobs(session.link, leases.worker, failures, rings),
    );
    if (stopSignal.aborted) {
      this.#context.onHandedBack(replies.filter(({ word }) => word === "parked").length);
    }
    const dead: Burial[] = [];
    results.forEach(({ status, job, error }, i) => {
      const { key, version } = job;
      const { word, attempts = 0 } = replies[i] ?? {};
      const waitMs = failures[i]?.backoffMs ?? 0;
      const isAnswered = word === "giveUp" || word === "parked";
      if (isAnswered) {
        this.#context.usage.add(status === "deferred" ? { deferrals: 1 } : { failures: 1 });
      }
      if (word === "giveUp") {
        leases.keep(job);
        dead.push({ job, reason: reasonOf(error, job.text), attempts });
        return;
      }
      if (word !== "parked") return;
      if (status === "deferred") session.events.emit("text:deferred", { key, version, error });
      else {
        session.events.emit("text:retried", { key, version, attempts, backoffMs: waitMs, error });
      }
      if (status === "failed" || waitMs > 0) this.#context.wakeIn(waitMs);
    });
    await this.bury(dead);
  }

  /** Texts whose results are stored already: a crash only kept them from being settled. */
  async settle(jobs: readonly Job[]): Promise<void> {
    // Before the work is let go of: after a crash in between it is announced again, and not forgotten.
    await this.#context.session.announce(keysOf(jobs));
    await this.#letGo(jobs);
  }

  async #letGo(jobs: readonly Job[]): Promise<void> {
    if (jobs.length === 0) return;
    const { session, space, leases } = this.#context;
    const step = () => this.#steps.persist("settle", () => settleJobs(session.link, space, jobs));
    let settled = await step();
    // Perhaps the settings were only lost: then they are stored again, and the work is done.
    if (settled === undefined && (await this.#isStillAgreed())) settled = await step();
    // Vectors of a model that the queue no longer has: the new one is to embed them.
    if (settled === undefined) await this.giveBack(jobs.map(spaceChanged));
    else leases.release(jobs);
  }

  /** Texts whose attempts, or whose deliveries, are used up. */
  async bury(burials: readonly Burial[]): Promise<void> {
    const { session } = this.#context;
    let left = await this.#stillOutstanding(burials);
    for (let attempt = 0; left.length > 0; attempt++) {
      const marks = await this.#steps.persist("mark a dead text", () =>
        writeDeadMarks(
          this.#writeStage(),
          left.map(({ job }) => job),
        ),
      );
      const unmarked = left.filter((_, i) => typeof marks[i] === "object");
      const marked = left.filter((_, i) => typeof marks[i] !== "object");
      await session.announce(keysOf(marked.map(({ job }) => job)));
      const letters = await this.#steps.persist("write a dead letter", () =>
        giveUpJobs(
          session.link,
          marked.map(({ job, reason }) => ({ ...job, reason })),
        ),
      );
      this.#reportDead(marked.filter((_, i) => letters[i] === "dead"));
      const silent = left.filter((_, i) => SILENT.has(marks[i] as string));
      await this.#ringGone(silent.map(({ job }) => job));
      const unwritten = marked.filter((_, i) => letters[i] === "outOfMemory");
      this.#context.leases.release(
        marked.filter((_, i) => letters[i] !== "outOfMemory").map(({ job }) => job),
      );
      left = [...unmarked, ...unwritten];
      if (left.length > 0) await this.#steps.pauseBlocked("write a dead letter", marks, attempt);
    }
  }

  /** A text that was replaced or cancelled meanwhile leaves no mark and no letter: it is only let go of. */
  async #stillOutstanding(burials: readonly Burial[]): Promise<readonly Burial[]> {
    if (burials.length === 0) return [];
    const { link } = this.#context.session;
    const jobs = burials.map(({ job }) => job);
    const wanted = await this.#steps.persist("read", () => areOutstanding(link, jobs));
    await this.#letGo(jobs.filter((_, i) => !wanted[i]));
    return burials.filter((_, i) => wanted[i]);
  }

  async #isStillAgreed(): Promise<boolean> {
    try {
      await this.#context.session.refresh();
      return true;
    } catch (error) {
      this.#context.report("settle", error);
      return false;
    }
  }

  /** Nothing was written for these: no event of the destination will end the waits. */
  async #ringGone(jobs: readonly Job[]): Promise<void> {
    const { link } = this.#context.session;
    await this.#steps.persist("ring", () => ringGone(link, keysOf(jobs)));
  }

  #writeStage(): WriteStage {
    const { session, space } = this.#context;
    const { onMissing, onDead } = session.options;
    return { link: session.link, fields: session.fields, space, onMissing, onDead };
  }

  #reportDead(burials: readonly Burial[]): void {
    this.#context.usage.add({ dead: burials.length });
    for (const { job, reason, attempts } of burials) {
      const { key, version } = job;
      this.#context.session.events.emit("text:dead", { key, version, attempts, reason });
    }
  }
}

/** Answers of a write after which the destination tells nobody anything. */
const SILENT = new Set(["missing", "wrongtype", "forbidden"]);

function keysOf(jobs: readonly Job[]): string[] {
  return jobs.map(({ key }) => key);
}

function spaceChanged(job: Job): Return {
  const message =
    "Cannot settle the batch as the queue has another model by now: it is embedded again";
  return { status: "deferred", job, error: new EmbedqError("ERR_SETTINGS_CONFLICT", message) };
}
