// One claim's way through the stages: batch → embed → write → settle.

import { type Burial, Endings, type EndingsContext, type Return } from "./endings.ts";
import { formBatches } from "./flow/batch.ts";
import { embedBatch } from "./flow/embed.ts";
import type { EmbeddedJob } from "./flow/write.ts";
import type { Embedder } from "./model/embedder.ts";
import { messageOf } from "./model/errors.ts";
import type { Batch, Job, JobResult } from "./model/job.ts";
import type { Trouble } from "./model/trouble.ts";
import type { Places } from "./places.ts";

/** What the pipeline needs of the worker around it. */
export interface PipelineContext extends EndingsContext {
  readonly embedder: Embedder;
  readonly places: Places;
  /** Why no call may begin now, if so. */
  obstacle(): Error | undefined;
  /**
   * The provider is away, or this worker may not call it. Ends when the pause is in force, with the
   * length of a shared one.
   */
  onOutage(trouble: Trouble, isProbe: boolean): Promise<number>;
  /** The provider answered, be it with a refusal. */
  onReached(isProbe: boolean): Promise<void>;
  /** No call was made that could tell whether the provider is back: another worker may try. */
  returnProbe(): Promise<void>;
}

export class Pipeline {
  readonly #context: PipelineContext;
  readonly #jobs: readonly Job[];
  readonly #batches: readonly Batch[];
  readonly #endings: Endings;
  readonly #goesAlone: boolean;
  /** The next call is the one that tries after a shared pause. Cleared by that call. */
  #isProbe: boolean;
  #calls = 0;

  /** Plans the calls and books their places; with `goesAlone` the first call ends before others begin. */
  constructor(
    context: PipelineContext,
    jobs: readonly Job[],
    { isProbe, goesAlone }: { readonly isProbe: boolean; readonly goesAlone: boolean },
  ) {
    this.#context = context;
    this.#jobs = jobs;
    this.#isProbe = isProbe;
    this.#goesAlone = goesAlone;
    this.#endings = new Endings(context);
    const calling = jobs.filter(({ kind, text }) => kind !== "giveUp" && text !== "");
    this.#batches = formBatches(calling, context.embedder.limits ?? {});
    context.places.book(this.#batches.length);
  }

  /** Takes every job of the claim to its end. Throws only when the worker must end and Redis is away. */
  async run(): Promise<void> {
    const startedAt = performance.now();
    try {
      await this.#finishWithoutCalls();
      const [first, ...others] = this.#batches;
      if (first !== undefined && this.#goesAlone) await this.#call(first);
      const rest = this.#goesAlone ? others : this.#batches;
      const calls = await Promise.allSettled(rest.map((batch) => this.#call(batch)));
      // Only after all have ended: until then their leases must be renewed.
      for (const call of calls) if (call.status === "rejected") throw call.reason;
      if (this.#isProbe) await this.#endings.persist("go on", () => this.#context.returnProbe());
    } finally {
      const { errors, firstError } = this.#endings;
      const { session, leases } = this.#context;
      session.events.emit("batch:drained", {
        status: errors > 0 ? "error" : "ok",
        worker: leases.worker,
        durationMs: performance.now() - startedAt,
        batchSize: this.#jobs.length,
        calls: this.#calls,
        errorCount: errors,
        error: firstError,
      });
    }
  }

  /** Texts that are to be given up, and blank texts, whose vector is known. */
  async #finishWithoutCalls(): Promise<void> {
    const isOver = ({ kind }: Job) => kind === "giveUp";
    const burials = this.#jobs.filter(isOver).map((job) => this.#burialOf(job));
    for (const { reason } of burials) this.#endings.note(new Error(reason));
    await this.#endings.bury(burials);
    const blank = this.#jobs.filter((job) => !isOver(job) && job.text === "");
    await this.#endings.store(blank.map((job) => ({ job, vector: undefined })));
  }

  async #call(batch: Batch): Promise<void> {
    await this.#context.places.use(async () => {
      const open = await this.#withoutStored(batch);
      const obstacle = this.#context.obstacle();
      if (open.texts.length === 0) return;
      if (obstacle !== undefined) {
        await this.#conclude(
          open.jobs.flat().map((job) => ({ status: "deferred", job, error: obstacle })),
        );
        return;
      }
      await this.#embed(open);
    });
  }

  /** A crash between write and settle must not cost a second call. */
  async #withoutStored(batch: Batch): Promise<Batch> {
    const redelivered = batch.jobs.flat().filter(({ deliveries }) => deliveries > 1);
    const stored = new Set(await this.#endings.alreadyStored(redelivered));
    if (stored.size === 0) return batch;
    await this.#endings.settle([...stored]);
    const open = batch.texts
      .map((text, i) => ({ text, jobs: (batch.jobs[i] ?? []).filter((job) => !stored.has(job)) }))
      .filter(({ jobs }) => jobs.length > 0);
    return { texts: open.map(({ text }) => text), jobs: open.map(({ jobs }) => jobs) };
  }

  async #embed(batch: Batch): Promise<void> {
    const { embedder, session, abortSignal } = this.#context;
    const { results, calls, outage } = await embedBatch(
      {
        embedder,
        timeoutMs: session.options.embedTimeoutMs,
        maxAttempts: session.settings.maxAttempts,
        signal: abortSignal,
      },
      batch,
    );
    this.#calls += calls;
    const isProbe = this.#isProbe;
    // A call that was cut off by a stop has told nothing: the probe is given back at the end.
    if (outage !== undefined || !abortSignal.aborted) this.#isProbe = false;
    // The pause is in force before the texts go back: nobody claims them in between.
    let pauseMs = 0;
    if (outage !== undefined) {
      pauseMs = await this.#endings.persist("pause", () => this.#context.onOutage(outage, isProbe));
    } else if (!abortSignal.aborted) {
      await this.#endings.persist("go on", () => this.#context.onReached(isProbe));
    }
    // What failed a probe is not the next one: it may be these very texts that the provider fails on.
    await this.#conclude(results, isProbe ? 1.5 * pauseMs : 0);
  }

  async #conclude(results: readonly JobResult[], afterMs = 0): Promise<void> {
    const embedded: EmbeddedJob[] = [];
    const rejected: Burial[] = [];
    const returned: Return[] = [];
    for (const result of results) {
      if (result.status === "embedded") embedded.push(result);
      else {
        this.#endings.note(result.error);
        const { job, error, status } = result;
        if (status === "rejected") {
          rejected.push({ job, reason: messageOf(error), attempts: job.attempts });
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
