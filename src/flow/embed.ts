// Stage 4: a batch becomes results. The embedder's failures are sorted, and a refused batch is split
// until the bad text stands alone.
// Does not retry and does not touch Redis: the worker and the later stages decide.

import type { Batch, Slot } from "../model/batch.ts";
import { checkResults, checkVector, reportedTokens } from "../model/contract.ts";
import { withinDeadline } from "../model/deadline.ts";
import type { Embedder, EmbedResult } from "../model/embedder.ts";
import { type CallMeasure, EmbedderError } from "../model/errors.ts";
import type { Job, JobResult } from "../model/job.ts";
import { isOutage, type Trouble, troubleOf } from "../model/trouble.ts";

/** Leave to make one call: told afterwards what the call was worth, as far as the provider says. */
export interface Permit {
  end(tokens: number | undefined): void;
}

/** What a call will carry. */
export interface CallSize {
  readonly items: number;
  readonly tokens: number;
}

export interface EmbedStage {
  readonly embedder: Embedder;
  readonly timeoutMs: number;
  readonly maxAttempts: number;
  /** Raised when calls in flight must end now. */
  readonly signal: AbortSignal;
  /** How much of a call these slots fill, by the limits as they are known now: more than 1 is refused. */
  fillOf(slots: readonly Slot[]): number;
  /** Texts that the queue collects for a call: a call with as many is full, whatever it might carry. */
  readonly batchSize: number;
  /** Asked before each call; may take its time. An error where no call may be made now. */
  admit(size: CallSize): Promise<Permit | Error>;
  /** The provider has refused this call for its size. */
  onTooLarge(measure: CallMeasure, slots: readonly Slot[]): void;
}

/** What the provider was asked for. */
export interface CallCounts {
  /** Provider calls made. */
  calls: number;
  /** Texts that came back as vectors. */
  texts: number;
  /** Tokens of the calls that came back, reported or estimated. */
  tokens: number;
  /** The part of these that is an estimate. */
  tokensEstimated: number;
  /** How full the calls were, in thousandths, summed. */
  fillPermille: number;
}

export interface EmbedOutcome {
  readonly results: readonly JobResult[];
  readonly counts: Readonly<CallCounts>;
  /** The first outage met; no further call was made after it. */
  readonly outage: Trouble | undefined;
}

/** Embeds one batch: one call, and a few more only where a text must be isolated. */
export async function embedBatch(stage: EmbedStage, batch: Batch): Promise<EmbedOutcome> {
  const isolation = new Isolation(stage);
  await isolation.solve(batch.slots);
  return isolation;
}

/**
 * Splits where it must:
 *
 * - too large: in halves, and the limit is remembered.
 * - rejected: in halves, until the bad text stands alone. One bad text among n costs at most
 *   2·log2(n) + 1 further calls, and the halves that pass are done.
 * - unclassified: everybody is charged an attempt, but nobody loses the last one to a neighbour:
 *   texts at their last attempt are split likewise until they fail alone.
 * - outage, or no leave to call: no further calls; what is left goes back without a spent attempt.
 */
class Isolation implements EmbedOutcome {
  readonly results: JobResult[] = [];
  readonly counts: CallCounts = {
    calls: 0,
    texts: 0,
    tokens: 0,
    tokensEstimated: 0,
    fillPermille: 0,
  };
  outage: Trouble | undefined;
  readonly #stage: EmbedStage;
  /** Why no further call is made. */
  #obstacle: Error | undefined;
  /** Texts refused so far. */
  #refused = 0;

  constructor(stage: EmbedStage) {
    this.#stage = stage;
  }

  async solve(slots: readonly Slot[]): Promise<void> {
    if (slots.length === 0) return;
    // The limits may have become lower since the batch was made.
    if (slots.length > 1 && this.#stage.fillOf(slots) > 1) return this.#halve(slots, false);
    const permit = await this.#ask(slots);
    if (permit instanceof Error) {
      this.#conclude(slots, (job) => ({ status: "deferred", job, error: permit }));
      return;
    }
    let results: readonly EmbedResult[];
    try {
      results = await this.#call(slots, permit);
    } catch (thrown) {
      await this.#sort(slots, this.#stage.signal.aborted ? stoppedError() : thrown);
      return;
    }
    for (const [i, slot] of slots.entries()) this.#judge(slot, results[i] as EmbedResult);
  }

  async #ask(slots: readonly Slot[]): Promise<Permit | Error> {
    const before = this.outage?.error ?? this.#obstacle;
    if (before !== undefined) return before;
    if (this.#stage.signal.aborted) return stoppedError();
    const permit = await this.#stage.admit({ items: slots.length, tokens: tokensOf(slots) });
    if (permit instanceof Error) this.#obstacle = permit;
    return permit;
  }

  async #sort(slots: readonly Slot[], thrown: unknown): Promise<void> {
    const trouble = troubleOf(thrown);
    const { error } = trouble;
    if (isOutage(trouble)) {
      if (!this.#stage.signal.aborted) this.outage = trouble;
      this.#conclude(slots, (job) => ({ status: "deferred", job, error }));
    } else if (slots.length === 1) {
      if (trouble.kind === "rejected") this.#refused++;
      const status = trouble.kind === "rejected" ? "rejected" : "failed";
      this.#conclude(slots, (job) => ({ status, job, error }));
    } else if (trouble.kind === "rejected") {
      if (trouble.exceeded !== undefined) this.#stage.onTooLarge(trouble.exceeded, slots);
      await this.#halve(slots, trouble.exceeded === undefined);
    } else {
      const isLast = ({ jobs, pieces }: Slot) =>
        [...jobs, ...pieces.flatMap(({ whole }) => whole.jobs)].some(
          ({ attempts }) => attempts + 1 >= this.#stage.maxAttempts,
        );
      const last = slots.filter(isLast);
      this.#conclude(
        slots.filter((slot) => !isLast(slot)),
        (job) => ({ status: "failed", job, error }),
      );
      if (last.length === slots.length) await this.#halve(last, false);
      else await this.solve(last);
    }
  }

  /** @param isCertain One of the slots is bad: where the first half is good, it is in the second. */
  async #halve(slots: readonly Slot[], isCertain: boolean): Promise<void> {
    const middle = Math.floor(slots.length / 2);
    const second = slots.slice(middle);
    const refused = this.#refused;
    await this.solve(slots.slice(0, middle));
    // To ask about the second half as a whole would tell nothing new.
    if (isCertain && refused === this.#refused && second.length > 1)
      await this.#halve(second, true);
    else await this.solve(second);
  }

  /** One provider call, bounded in time; an embedder that ignores the signal is left behind. */
  async #call(slots: readonly Slot[], permit: Permit): Promise<readonly EmbedResult[]> {
    const { embedder, timeoutMs, signal } = this.#stage;
    this.counts.calls++;
    const fill = Math.max(this.#stage.fillOf(slots), slots.length / this.#stage.batchSize);
    this.counts.fillPermille += Math.round(1000 * Math.min(1, fill));
    let tokens: number | undefined;
    try {
      const texts = slots.map(({ text }) => text);
      const reply = await withinDeadline(
        (callSignal) => embedder.embed(texts, { signal: callSignal }),
        timeoutMs,
        signal,
        () =>
          new EmbedderError(
            "unavailable",
            `The embedder took longer than embedTimeoutMs, ${timeoutMs} ms`,
          ),
      );
      tokens = reportedTokens(reply);
      const results = checkResults(reply, texts.length);
      this.counts.tokens += tokens ?? tokensOf(slots);
      this.counts.tokensEstimated += tokens === undefined ? tokensOf(slots) : 0;
      return results;
    } finally {
      permit.end(tokens);
    }
  }

  /** The result for one text, checked: nothing is zipped silently. */
  #judge(slot: Slot, result: EmbedResult): void {
    if (result instanceof Error) {
      const trouble = troubleOf(result);
      if (isOutage(trouble)) this.outage ??= trouble;
      const isRejected = trouble.kind === "rejected";
      if (isRejected) this.#refused++;
      const status = isOutage(trouble) ? "deferred" : isRejected ? "rejected" : "failed";
      this.#conclude([slot], (job) => ({ status, job, error: trouble.error }));
      return;
    }
    const vector = checkVector(result, this.#stage.embedder.dimensions);
    if (vector instanceof Error) {
      this.#conclude([slot], (job) => ({ status: "failed", job, error: vector }));
      return;
    }
    this.counts.texts++;
    for (const job of slot.jobs) this.results.push({ status: "embedded", job, vector });
    for (const { whole, at } of slot.pieces) {
      const mean = whole.give(at, vector);
      if (mean === undefined) continue;
      for (const job of whole.jobs) this.results.push({ status: "embedded", job, vector: mean });
    }
  }

  /** The end of slots that have no vector; of a text in pieces, the first such piece decides. */
  #conclude(slots: readonly Slot[], resultOf: (job: Job) => JobResult): void {
    for (const { jobs, pieces } of slots) {
      for (const job of jobs) this.results.push(resultOf(job));
      for (const { whole } of pieces) {
        if (whole.end()) for (const job of whole.jobs) this.results.push(resultOf(job));
      }
    }
  }
}

function tokensOf(slots: readonly Slot[]): number {
  return slots.reduce((sum, { tokens }) => sum + tokens, 0);
}

function stoppedError(): EmbedderError {
  return new EmbedderError("unavailable", "The worker stops");
}
