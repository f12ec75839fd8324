// Stage 4: a batch becomes results. The embedder's contract is checked here, its failures are
// sorted, and a refused batch is split until the bad text stands alone.
// Does not retry and does not touch Redis: the worker and the later stages decide.

import type { Embedder, EmbedReply, EmbedResult } from "../model/embedder.ts";
import { EmbedderError, EmbedqError } from "../model/errors.ts";
import type { Batch, Job, JobResult } from "../model/job.ts";
import { isOutage, type Trouble, troubleOf } from "../model/trouble.ts";
import { FLOAT_BYTES, toVectorBytes } from "../model/vector.ts";

export interface EmbedStage {
  readonly embedder: Embedder;
  readonly timeoutMs: number;
  readonly maxAttempts: number;
  /** Raised when calls in flight must end now. */
  readonly signal: AbortSignal;
}

export interface EmbedOutcome {
  readonly results: readonly JobResult[];
  /** Provider calls made. */
  readonly calls: number;
  /** The first outage met; no further call was made after it. */
  readonly outage: Trouble | undefined;
}

/** One text of a batch with all its jobs. */
interface Slot {
  readonly text: string;
  readonly jobs: readonly Job[];
}

/** Embeds one batch: one call, and a few more only where a text must be isolated. */
export async function embedBatch(stage: EmbedStage, batch: Batch): Promise<EmbedOutcome> {
  const slots = batch.texts.map((text, i) => ({ text, jobs: batch.jobs[i] ?? [] }));
  const isolation = new Isolation(stage);
  await isolation.solve(slots);
  return isolation;
}

/**
 * Splits where it must:
 *
 * - rejected: in halves, until the bad text stands alone. One bad text among n costs at most
 *   2·⌈log2 n⌉ further calls, and the halves that pass are done.
 * - unclassified: everybody is charged an attempt, but nobody loses the last one to a neighbour:
 *   texts at their last attempt are split likewise until they fail alone.
 * - outage: no further calls; what is left goes back without a spent attempt.
 */
class Isolation implements EmbedOutcome {
  readonly results: JobResult[] = [];
  calls = 0;
  outage: Trouble | undefined;
  readonly #stage: EmbedStage;

  constructor(stage: EmbedStage) {
    this.#stage = stage;
  }

  async solve(slots: readonly Slot[]): Promise<void> {
    if (slots.length === 0) return;
    if (this.outage !== undefined || this.#stage.signal.aborted) {
      const error = this.outage?.error ?? stoppedError();
      this.#conclude(slots, (job) => ({ status: "deferred", job, error }));
      return;
    }
    try {
      const results = await this.#call(slots.map(({ text }) => text));
      for (const [i, slot] of slots.entries()) this.#judge(slot, results[i] as EmbedResult);
    } catch (thrown) {
      await this.#sort(slots, this.#stage.signal.aborted ? stoppedError() : thrown);
    }
  }

  async #sort(slots: readonly Slot[], thrown: unknown): Promise<void> {
    const trouble = troubleOf(thrown);
    const { error } = trouble;
    if (isOutage(trouble)) {
      if (!this.#stage.signal.aborted) this.outage = trouble;
      this.#conclude(slots, (job) => ({ status: "deferred", job, error }));
    } else if (slots.length === 1) {
      const status = trouble.kind === "rejected" ? "rejected" : "failed";
      this.#conclude(slots, (job) => ({ status, job, error }));
    } else if (trouble.kind === "rejected") {
      await this.#halve(slots);
    } else {
      const isLast = ({ jobs }: Slot) =>
        jobs.some(({ attempts }) => attempts + 1 >= this.#stage.maxAttempts);
      const last = slots.filter(isLast);
      this.#conclude(
        slots.filter((slot) => !isLast(slot)),
        (job) => ({ status: "failed", job, error }),
      );
      if (last.length === slots.length) await this.#halve(last);
      else await this.solve(last);
    }
  }

  async #halve(slots: readonly Slot[]): Promise<void> {
    const middle = Math.ceil(slots.length / 2);
    await this.solve(slots.slice(0, middle));
    await this.solve(slots.slice(middle));
  }

  /** One provider call, bounded in time; an embedder that ignores the signal is left behind. */
  async #call(texts: readonly string[]): Promise<readonly EmbedResult[]> {
    this.calls++;
    const { embedder, timeoutMs, signal } = this.#stage;
    const timeout = new AbortController();
    const timer = setTimeout(() => {
      const message = `The embedder took longer than embedTimeoutMs, ${timeoutMs} ms`;
      timeout.abort(new EmbedderError("unavailable", message));
    }, timeoutMs);
    const either = AbortSignal.any([signal, timeout.signal]);
    try {
      const reply = await raceAbort(
        Promise.resolve(embedder.embed(texts, { signal: either })),
        either,
      );
      const results = resultsOf(reply);
      if (!Array.isArray(results) || results.length !== texts.length) {
        const found = Array.isArray(results) ? String(results.length) : typeof results;
        throw contractError(`must return one result for each of ${texts.length} texts`, found);
      }
      return results;
    } finally {
      clearTimeout(timer);
    }
  }

  /** The result for one text, checked: nothing is zipped silently. */
  #judge(slot: Slot, result: EmbedResult): void {
    if (result instanceof Error) {
      const trouble = troubleOf(result);
      if (isOutage(trouble)) this.outage ??= trouble;
      const status = isOutage(trouble)
        ? "deferred"
        : trouble.kind === "rejected"
          ? "rejected"
          : "failed";
      this.#conclude([slot], (job) => ({ status, job, error: trouble.error }));
      return;
    }
    const vector = checkVector(result, this.#stage.embedder.dimensions);
    this.#conclude([slot], (job) =>
      vector instanceof Error
        ? { status: "failed", job, error: vector }
        : { status: "embedded", job, vector },
    );
  }

  #conclude(slots: readonly Slot[], resultOf: (job: Job) => JobResult): void {
    for (const { jobs } of slots) for (const job of jobs) this.results.push(resultOf(job));
  }
}

/** The bytes of a vector of the right size with finite numbers only, or the error to charge. */
function checkVector(
  result: Exclude<EmbedResult, Error>,
  dimensions: number,
): Uint8Array | EmbedqError {
  const isTyped = result instanceof Uint8Array || result instanceof Float32Array;
  if (!isTyped && !Array.isArray(result)) {
    return contractError("must return a vector or an error", typeof result);
  }
  // Float32Array.from would make a zero of null, and a number of "1".
  const odd = isTyped ? undefined : result.findIndex((value: unknown) => typeof value !== "number");
  if (odd !== undefined && odd >= 0) {
    return contractError("must return finite numbers", `${typeof result[odd]} at ${odd}`);
  }
  // A copy: an embedder may use its memory again for the next call.
  const bytes = new Uint8Array(toVectorBytes(result));
  if (bytes.length !== dimensions * FLOAT_BYTES) {
    return contractError(
      `must return ${dimensions} numbers (${dimensions * FLOAT_BYTES} bytes) a text`,
      `${bytes.length / FLOAT_BYTES} numbers`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length; at += FLOAT_BYTES) {
    // Checked as float32, where numbers beyond 3.4e38 have become infinite.
    const number = view.getFloat32(at, true);
    if (!Number.isFinite(number)) {
      return contractError("must return finite numbers", `${number} at ${at / FLOAT_BYTES}`);
    }
  }
  return bytes;
}

/** Whatever an embedder returned, without its wrapping; the caller checks it. */
function resultsOf(reply: readonly EmbedResult[] | EmbedReply): readonly EmbedResult[] {
  const wrapped = (reply as Partial<EmbedReply> | undefined)?.results;
  return wrapped ?? (reply as readonly EmbedResult[]);
}

function contractError(wanted: string, found: string): EmbedqError {
  return new EmbedqError(
    "ERR_EMBEDDER_CONTRACT",
    `Cannot use the embedder's reply as it ${wanted}: it is ${found}`,
  );
}

function stoppedError(): EmbedderError {
  return new EmbedderError("unavailable", "The worker stops");
}

/** The promise's value, or the signal's reason as soon as it is raised. */
function raceAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
