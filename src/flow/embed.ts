// Stage 4: a batch becomes results. The embedder's failures are sorted, and a refused batch is split
// until the bad text stands alone.
// Does not retry and does not touch Redis: the worker and the later stages decide.

import { type Batch, delivered, ended, jobsOf, type Slot } from "../model/batch.ts";
import { checkVector } from "../model/contract.ts";
import { type EmbedResult, estimateTokens, utf8Length } from "../model/embedder.ts";
import { type CallMeasure, EmbedderError, messageOf, stoppedError } from "../model/errors.ts";
import type { Evidence } from "../model/evidence.ts";
import type { JobResult } from "../model/job.ts";
import { isOutage, type Trouble, troubleOf } from "../model/trouble.ts";
import { FLOAT_BYTES } from "../model/vector.ts";
import {
  type CallCounts,
  type CallSize,
  type CallStage,
  callEmbedder,
  NO_CALLS,
  type Permit,
  tokensOf,
} from "./call.ts";

export interface EmbedStage extends CallStage {
  readonly maxAttempts: number;
  /** What this worker has seen of its provider and of the texts. */
  readonly evidence: Evidence;
  /** Asked before each call; may take its time. An error where no call may be made now. */
  admit(size: CallSize): Promise<Permit | Error>;
  /** The provider has refused this call for its size. */
  onTooLarge(measure: CallMeasure, slots: readonly Slot[]): void;
  /** A text is too long for the provider: what to send in its place, nothing where it is not to be cut. */
  shorten(slot: Slot): readonly Slot[];
  /** The provider has taken this call. */
  onPassed(slots: readonly Slot[]): void;
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
  await isolation.run(batch.slots);
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
 *
 * Where many texts in a row would be charged or given up and no call passes, it may be the provider
 * that is set up wrongly: a harmless text is sent, and where that fails too, nobody is charged.
 */
class Isolation implements EmbedOutcome {
  readonly results: JobResult[] = [];
  readonly counts: CallCounts = { ...NO_CALLS };
  outage: Trouble | undefined;
  readonly #stage: EmbedStage;
  /** Why no further call is made, where it is not an outage. */
  #obstacle: Error | undefined;
  /** Texts refused so far. */
  #refused = 0;
  /** Slots one of which is bad, where the search for it was cut short. */
  #search: readonly Slot[] = [];

  constructor(stage: EmbedStage) {
    this.#stage = stage;
  }

  async run(slots: readonly Slot[]): Promise<void> {
    await this.#solve(slots);
    this.#stage.evidence.failedTogether(jobsOf(this.#search));
  }

  async #solve(slots: readonly Slot[]): Promise<void> {
    if (slots.length === 0) return;
    // The limits may have become lower since the batch was made.
    if (slots.length > 1 && this.#stage.fillOf(slots) > 1) return this.#halve(slots, false);
    const { evidence, signal } = this.#stage;
    // Where the provider is away for a harmless text as well, this one is not to blame.
    if (slots.length === 1 && evidence.areSuspected(jobsOf(slots))) await this.#tryHarmless();
    const permit = await this.#ask(slots);
    if (permit instanceof Error) return this.#defer(slots, permit);
    let results: readonly EmbedResult[];
    try {
      results = await callEmbedder(this.#stage, slots, permit, this.counts);
    } catch (thrown) {
      return this.#sort(slots, signal.aborted ? stoppedError() : thrown);
    }
    return this.#judge(slots, results);
  }

  async #ask(slots: readonly Slot[]): Promise<Permit | Error> {
    const before = this.#end;
    if (before !== undefined) return before;
    const permit = await this.#stage.admit({ items: slots.length, tokens: tokensOf(slots) });
    if (permit instanceof Error) this.#obstacle = permit;
    return permit;
  }

  /** Why no further call is made. */
  get #end(): Error | undefined {
    if (this.#stage.signal.aborted) return stoppedError();
    return this.outage?.error ?? this.#obstacle;
  }

  /** A call has failed as a whole. */
  async #sort(slots: readonly Slot[], thrown: unknown): Promise<void> {
    const trouble = troubleOf(thrown, { texts: slots.map(({ text }) => text) });
    const { kind, error, exceeded } = trouble;
    if (isOutage(trouble)) {
      if (this.#isOwnFault(slots, trouble)) await this.#charge(slots, "failed", error);
      else this.#defer(slots, error);
    } else if (slots.length === 1) {
      if (kind === "rejected") this.#refused++;
      const shorter = exceeded === "text" ? this.#stage.shorten(slots[0] as Slot) : [];
      if (shorter.length > 0) return this.#solve(shorter);
      await this.#charge(slots, kind === "rejected" ? "rejected" : "failed", error);
    } else if (kind === "rejected") {
      const isOneText = exceeded === undefined || exceeded === "text";
      if (!isOneText) this.#stage.onTooLarge(exceeded, slots);
      await this.#halve(slots, isOneText);
    } else {
      const isLast = (slot: Slot) =>
        jobsOf([slot]).some(({ attempts }) => attempts + 1 >= this.#stage.maxAttempts);
      const last = slots.filter(isLast);
      const others = slots.filter((slot) => !last.includes(slot));
      await this.#charge(others, "failed", error);
      if (last.length === slots.length) await this.#halve(last, false);
      else await this.#solve(last);
    }
  }

  /** Notes an outage. True where it is none: a text alone in its call only makes it look like one. */
  #isOwnFault(slots: readonly Slot[], trouble: Trouble): boolean {
    const { evidence, signal } = this.#stage;
    if (signal.aborted) return false;
    const jobs = jobsOf(slots);
    if (trouble.kind !== "rateLimited" && trouble.scope === "worker") {
      evidence.failedAway(jobs);
      if (slots.length === 1 && evidence.areConvicted(jobs)) return true;
    }
    this.outage ??= trouble;
    return false;
  }

  /** @param isCertain One of the slots is bad: where the first half is good, it is in the second. */
  async #halve(slots: readonly Slot[], isCertain: boolean): Promise<void> {
    const middle = Math.floor(slots.length / 2);
    const second = slots.slice(middle);
    const refused = this.#refused;
    const isSought = () => isCertain && refused === this.#refused;
    await this.#solve(slots.slice(0, middle));
    const isCut = this.#end !== undefined;
    // To ask about the second half as a whole would tell nothing new.
    if (isSought() && !isCut && second.length > 1) await this.#halve(second, true);
    else await this.#solve(second);
    // What was found out is not lost: the next call goes on from here.
    if (isSought() && this.#end !== undefined && this.#search.length === 0) {
      this.#search = isCut ? slots : second;
    }
  }

  /** A call has brought results, one for each text: nothing is zipped silently. */
  async #judge(slots: readonly Slot[], results: readonly EmbedResult[]): Promise<void> {
    const { evidence, embedder } = this.#stage;
    const good: Slot[] = [];
    const bad: { readonly slot: Slot; readonly trouble: Trouble }[] = [];
    // One piece of memory for all vectors: a piece for each costs more than filling it.
    const size = embedder.dimensions * FLOAT_BYTES;
    const memory = new Uint8Array(slots.length * size);
    for (const [i, slot] of slots.entries()) {
      const into = memory.subarray(i * size, (i + 1) * size);
      const vector = checkResult(results[i] as EmbedResult, embedder.dimensions, into);
      if (vector instanceof Error)
        bad.push({ slot, trouble: troubleOf(vector, { texts: [slot.text] }) });
      else {
        good.push(slot);
        this.counts.texts++;
        for (const result of delivered(slot, vector, slot.text)) {
          this.results.push({ status: "embedded", ...result });
        }
      }
    }
    if (good.length > 0) {
      evidence.passed(jobsOf(good));
      this.#stage.onPassed(slots);
    }
    this.outage ??= bad.find(({ trouble }) => isOutage(trouble))?.trouble;
    const charged = bad.filter(({ trouble }) => !isOutage(trouble));
    const isFair =
      good.length > 0 || charged.length === 0 || (await this.#mayCharge(charged.length));
    for (const { slot, trouble } of bad) {
      const { kind, error } = trouble;
      if (isOutage(trouble)) this.#defer([slot], error);
      else if (!isFair) this.#defer([slot], this.#end ?? error);
      else this.#conclude([slot], kind === "rejected" ? "rejected" : "failed", error);
      if (kind === "rejected") this.#refused++;
    }
  }

  /** An attempt is spent, or the text given up; unless it turns out that the provider is at fault. */
  async #charge(
    slots: readonly Slot[],
    status: "failed" | "rejected",
    error: Error,
  ): Promise<void> {
    if (slots.length === 0) return;
    if (await this.#mayCharge(slots.length)) this.#conclude(slots, status, error);
    else this.#defer(slots, this.#end ?? error);
  }

  async #mayCharge(count: number): Promise<boolean> {
    const { evidence } = this.#stage;
    if (evidence.mayCharge(count)) return true;
    const trouble = await this.#tryHarmless();
    if (trouble === undefined && this.#end === undefined) return true;
    if (trouble !== undefined) {
      evidence.doubtProvider();
      this.outage ??= blameProvider(trouble);
    }
    return false;
  }

  /** What is wrong where the provider gives no vector even for a text that nothing can be wrong with. */
  async #tryHarmless(): Promise<Trouble | undefined> {
    const { evidence, embedder } = this.#stage;
    const { harmlessText: text = "hello" } = embedder;
    const slots = [
      { text, tokens: estimateTokens(text), bytes: utf8Length(text), jobs: [], pieces: [] },
    ];
    const permit = await this.#ask(slots);
    if (permit instanceof Error) return undefined;
    try {
      const [result] = await callEmbedder(this.#stage, slots, permit, this.counts);
      const vector = checkResult(result as EmbedResult, embedder.dimensions);
      if (vector instanceof Error) throw vector;
    } catch (thrown) {
      if (this.#stage.signal.aborted) return undefined;
      const trouble = troubleOf(thrown);
      if (isOutage(trouble)) this.outage ??= trouble;
      return trouble;
    }
    evidence.passed([]);
    return undefined;
  }

  #defer(slots: readonly Slot[], error: Error): void {
    this.#conclude(slots, "deferred", error);
  }

  /** The end of slots that have no vector; of a text in pieces, the first such piece decides. */
  #conclude(
    slots: readonly Slot[],
    status: Exclude<JobResult["status"], "embedded">,
    error: Error,
  ) {
    for (const slot of slots) {
      for (const job of ended(slot)) this.results.push({ status, job, error });
    }
  }
}

function checkResult(
  result: EmbedResult,
  dimensions: number,
  into?: Uint8Array,
): Uint8Array | Error {
  return result instanceof Error ? result : checkVector(result, dimensions, into);
}

/** Whatever a harmless text fails with is the provider's fault, or that of how this worker is set up. */
function blameProvider(trouble: Trouble): Trouble {
  if (isOutage(trouble)) return trouble;
  const message = `The provider fails even with a harmless text: ${messageOf(trouble.error)}`;
  const error = new EmbedderError("fatal", message, { cause: trouble.error });
  return { ...trouble, kind: "fatal", scope: "worker", error, exceeded: undefined };
}
