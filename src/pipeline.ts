// One claim's way through the stages: batch → embed → write → settle.

import { type Burial, Endings, type EndingsContext, type Return } from "./endings.ts";
import { cutInHalf, fillOf, type Plan } from "./flow/batch.ts";
import { type CallCounts, type CallSize, NO_CALLS, type Permit } from "./flow/call.ts";
import { embedBatch } from "./flow/embed.ts";
import type { EmbeddedJob } from "./flow/write.ts";
import type { Batch } from "./model/batch.ts";
import { stoppedError } from "./model/errors.ts";
import type { Job, JobResult } from "./model/job.ts";
import { reasonOf } from "./model/scrub.ts";
import type { Trouble } from "./model/trouble.ts";
import type { ClaimReason } from "./model/usage.ts";
import { Persistence } from "./persistence.ts";
import type { Places } from "./places.ts";
import { type CallPlan, planCalls, withSmallFirst } from "./plan.ts";
import type { Provider } from "./provider.ts";

/** What the pipeline needs of the worker around it. */
export interface PipelineContext extends EndingsContext {
  readonly places: Places;
  /** Why no call may begin now, if so. */
  obstacle(): Error | undefined;
  readonly provider: Provider;
}

/** Leave to call where nothing is counted. */
const FREE: Permit = { end: () => undefined };

export class Pipeline {
  /** What this pipeline takes to its end. */
  readonly jobs: readonly Job[];
  /** Claimed jobs that would make a call which is not full: for the next pipeline. */
  readonly heldBack: readonly Job[];
  readonly #context: PipelineContext;
  readonly #endings: Endings;
  readonly #steps: Persistence;
  readonly #goesAlone: boolean;
  readonly #reason: ClaimReason;
  readonly #counts: CallCounts = { ...NO_CALLS };
  #cacheHits = 0;
  /** What nothing waits for but the end: corrections of the budget, vectors for the cache. */
  readonly #aside: Promise<void>[] = [];
  /** The calls to make, their places booked. Planned again where some of them are not needed. */
  #plan: Plan;
  /** The next call is the one that tries after a shared pause. Cleared by that call. */
  #isProbe: boolean;

  /** Plans the calls and books their places; with `goesAlone` the first call ends before others begin. */
  constructor(
    context: PipelineContext,
    jobs: readonly Job[],
    order: {
      readonly isProbe: boolean;
      readonly goesAlone: boolean;
      readonly holdsBack: boolean;
      /** Why the claim was due. */
      readonly reason: ClaimReason;
    },
  ) {
    this.#context = context;
    this.#isProbe = order.isProbe;
    this.#goesAlone = order.goesAlone;
    this.#reason = order.reason;
    this.#endings = new Endings(context);
    this.#steps = new Persistence(context);
    const plan = this.#planFor(jobs, order.holdsBack);
    this.#plan = plan;
    this.heldBack = plan.remainder?.slots.flatMap((slot) => slot.jobs) ?? [];
    const held = new Set(this.heldBack);
    this.jobs = held.size === 0 ? jobs : jobs.filter((job) => !held.has(job));
    context.places.book(this.#plan.batches.length);
  }

  /** Takes every job to its end. Throws only when the worker must end and Redis is away. */
  async run(): Promise<void> {
    const startedAt = performance.now();
    try {
      await this.#finishWithoutCalls();
      const [first, ...others] = this.#plan.batches;
      if (first !== undefined && this.#goesAlone) await this.#call(first);
      const rest = this.#goesAlone ? others : this.#plan.batches;
      const calls = await Promise.allSettled(rest.map((batch) => this.#call(batch)));
      await Promise.all(this.#aside);
      // Only after all have ended: until then their leases must be renewed.
      for (const call of calls) if (call.status === "rejected") throw call.reason;
      if (this.#isProbe)
        await this.#steps.persist("go on", () => this.#context.provider.returnProbe());
    } finally {
      const { errors, firstError } = this.#endings;
      const { session, leases } = this.#context;
      const { calls, tokens, fillPermille } = this.#counts;
      session.events.emit("batch:drained", {
        status: errors > 0 ? "error" : "ok",
        worker: leases.worker,
        durationMs: performance.now() - startedAt,
        batchSize: this.jobs.length,
        reason: this.#reason,
        calls,
        batchFill: calls === 0 ? undefined : fillPermille / calls / 1000,
        tokens,
        cacheHits: this.#cacheHits,
        errorCount: errors,
        error: firstError,
      });
    }
  }

  #planFor(jobs: readonly Job[], holdsBack: boolean): CallPlan {
    const { provider, session } = this.#context;
    const { limits, evidence } = provider;
    const { onOversize } = session.options;
    const calling = jobs.filter(({ kind, text }) => kind !== "giveUp" && text !== "");
    const plan = planCalls({ limits, evidence, onOversize }, calling, holdsBack);
    if (!this.#goesAlone) return plan;
    return { ...plan, batches: withSmallFirst(plan.batches, evidence.setbacks) };
  }

  /** Texts that are to be given up, blank ones, and those whose vector is stored already. */
  async #finishWithoutCalls(): Promise<void> {
    const isOver = ({ kind }: Job) => kind === "giveUp";
    const burials = this.jobs.filter(isOver).map((job) => this.#burialOf(job));
    burials.push(...this.#oversized());
    await this.#bury(burials);
    const blank = this.jobs.filter((job) => !isOver(job) && job.text === "");
    await this.#endings.store(blank.map((job) => ({ job, vector: undefined })));
    const over = new Set([...burials.map(({ job }) => job), ...blank]);
    await this.#spareCalls(this.jobs.filter((job) => !over.has(job)));
  }

  #oversized(): readonly Burial[] {
    return this.#plan.oversized.map(({ job, reason }) => ({ job, reason, attempts: job.attempts }));
  }

  async #bury(burials: readonly Burial[]): Promise<void> {
    for (const { reason } of burials) this.#endings.note(new Error(reason));
    await this.#endings.bury(burials);
  }

  /** Takes out of the plan what needs no call: its vector is stored, or kept in the cache. */
  async #spareCalls(jobs: readonly Job[]): Promise<void> {
    // A crash between write and settle must not cost a second call.
    const redelivered = jobs.filter(({ deliveries }) => deliveries > 1);
    const done = new Set(await this.#endings.alreadyStored(redelivered));
    await this.#endings.settle([...done]);
    const cached = await this.#fromCache(jobs.filter((job) => !done.has(job)));
    await this.#endings.store(cached);
    for (const { job } of cached) done.add(job);
    if (done.size === 0) return;
    const planned = this.#plan.batches.length;
    this.#plan = this.#planFor(
      jobs.filter((job) => !done.has(job)),
      false,
    );
    this.#context.places.book(this.#plan.batches.length - planned);
    // A counter of the user's may say something else the second time.
    await this.#bury(this.#oversized());
  }

  async #fromCache(jobs: readonly Job[]): Promise<readonly EmbeddedJob[]> {
    const found = (await this.#context.provider.cache?.find(jobs)) ?? [];
    this.#cacheHits = found.length;
    this.#context.usage.add({ cacheHits: found.length });
    return found;
  }

  /** The place is free for the next call before the results of this one are stored. */
  async #call(batch: Batch): Promise<void> {
    const { results, afterMs } = await this.#context.places.use(() => this.#embed(batch));
    await this.#conclude(results, afterMs);
  }

  async #embed(batch: Batch): Promise<{ results: readonly JobResult[]; afterMs: number }> {
    const { session, abortSignal } = this.#context;
    const { embedder, limits, evidence } = this.#context.provider;
    const { results, counts, outage } = await embedBatch(
      {
        embedder,
        timeoutMs: session.options.embedTimeoutMs,
        maxAttempts: session.settings.maxAttempts,
        signal: abortSignal,
        fillOf: (slots) => fillOf(slots, limits.current),
        batchSize: session.settings.maxBatchSize,
        admit: (size) => this.#admit(size),
        evidence,
        onPassed: (slots) => limits.passed(slots),
        shorten: (slot) => cutInHalf(slot, session.options.onOversize),
        onTooLarge: (measure, slots) => {
          const limit = limits.lower(measure, slots);
          if (limit !== undefined) session.events.emit("limit:lowered", { measure, limit });
        },
      },
      batch,
    );
    this.#context.usage.add(counts);
    for (const name of Object.keys(counts) as (keyof CallCounts)[]) {
      this.#counts[name] += counts[name];
    }
    const kept = this.#context.provider.cache?.keep(results);
    if (kept !== undefined) this.#aside.push(kept);
    const texts = batch.slots.map(({ text }) => text);
    return { results, afterMs: await this.#tell(outage, counts.calls > 0, texts) };
  }

  /** Tells the worker how the provider is; returns for how long texts are let be, in milliseconds. */
  async #tell(
    outage: Trouble | undefined,
    hasCalled: boolean,
    texts: readonly string[],
  ): Promise<number> {
    const { abortSignal } = this.#context;
    // A call that was cut off by a stop has told nothing: the probe is given back at the end.
    if (!hasCalled || (outage === undefined && abortSignal.aborted)) return 0;
    const isProbe = this.#isProbe;
    this.#isProbe = false;
    if (outage === undefined) {
      await this.#steps.persist("go on", () => this.#context.provider.onReached(isProbe));
      return 0;
    }
    // The pause is in force before the texts go back: nobody claims them in between.
    const pauseMs = await this.#steps.persist("pause", () =>
      this.#context.provider.onOutage(outage, isProbe, texts),
    );
    // What failed a probe is not the next one: it may be these very texts that the provider fails on.
    return isProbe ? 1.5 * pauseMs : 0;
  }

  /** Leave to call: the provider is not to be left alone, and the budget has room. May wait for that. */
  async #admit(size: CallSize): Promise<Permit | Error> {
    const { stopSignal, session, leases } = this.#context;
    const { budget } = this.#context.provider;
    const obstacle = this.#context.obstacle();
    if (obstacle !== undefined || budget === undefined) return obstacle ?? FREE;
    const { worker } = leases;
    const reserve = () =>
      budget.reserve(size, stopSignal, (waitMs) => {
        session.events.emit("budget:exhausted", { worker, account: budget.account, waitMs });
      });
    const reservation = await this.#steps.persist("reserve", reserve, stopSignal);
    const late = this.#context.obstacle();
    if (reservation === undefined) return late ?? stoppedError();
    if (late === undefined) return { end: (tokens) => this.#correct(reservation.settle(tokens)) };
    this.#correct(reservation.release());
    return late;
  }

  /** Nothing waits for a correction but the end of this pipeline; one that fails leaves too much reserved, never too little. */
  #correct(correction: Promise<void>): void {
    const done = correction.catch((error: unknown) => {
      this.#context.report("settle a reservation", error);
    });
    this.#aside.push(done);
  }

  async #conclude(results: readonly JobResult[], afterMs: number): Promise<void> {
    const embedded: EmbeddedJob[] = [];
    const rejected: Burial[] = [];
    const returned: Return[] = [];
    for (const result of results) {
      if (result.status === "embedded") embedded.push(result);
      else {
        this.#endings.note(result.error);
        const { job, error, status } = result;
        if (status === "rejected") {
          rejected.push({ job, reason: reasonOf(error, job.text), attempts: job.attempts });
        } else returned.push({ status, job, error, afterMs });
      }
    }
    await this.#endings.store(embedded);
    await this.#endings.bury(rejected);
    await this.#endings.giveBack(returned);
  }

  /** The claim script looks at attempts first, then at deliveries. */
  #burialOf(job: Job): Burial {
    const reason =
      job.attempts >= this.#context.session.settings.maxAttempts
        ? `its ${job.attempts} attempts are used up`
        : `its last ${job.deliveries} deliveries never came back: it may end its worker`;
    return { job, reason, attempts: job.attempts };
  }
}
