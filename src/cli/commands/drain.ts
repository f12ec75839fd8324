// embedq drain: works until nothing is left, then ends.

import { clearTimeout, setTimeout } from "node:timers";
import { EmbedderError, type EmbeddingQueue, type QueueStats } from "../../index.ts";
import { type AddCommand, defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { CommandError, messageOf } from "../errors.ts";
import { EXIT } from "../exit-codes.ts";
import { counted, countedNoun, percent, span } from "../format.ts";
import { settingsOptions, workerOptions } from "../options/library.ts";
import { duration, toggle } from "../options/schemas.ts";
import { PRODUCER, PROVIDER, SETTINGS, WORKER } from "../options/shared.ts";
import { option } from "../options/spec.ts";
import { pauseFor } from "../pause.ts";
import { Progress } from "../progress.ts";
import { embedderOf } from "../provider.ts";
import { Journal } from "../work/journal.ts";
import { newWorkingQueue } from "../work/start.ts";
import { Tally } from "../work/tally.ts";

/** How often the queue is looked at, unless a batch is through before. */
const LOOK_EVERY_MS = 500;
/** Small batches come fast; looking is not free. */
const LOOK_AT_MOST_EVERY_MS = 50;

export const drain: AddCommand = defineCommand({
  name: "drain",
  summary: "embed what is in the queue, and end when nothing is left",
  description: [
    "Works beside other workers, and also waits for what they hold and for texts in their backoff. Texts that arrive meanwhile are embedded too. A provider that refuses this worker, for instance its key, ends it with exit code 1; outages and rate limits are waited for.",
    "Exit codes: 0 nothing is left; 4 nothing is left, but texts were given up; 1 texts are left.",
  ].join("\n\n"),
  examples: [
    ["drain --provider openai", "all of it, however long it takes"],
    ["drain --provider openai --timeout 10m", "for a cron job: no longer than ten minutes"],
  ],
  options: {
    ...PROVIDER,
    timeout: option("--timeout <time>", "end after this long, whatever is left", duration),
    keepTrying: option("--keep-trying", "also where the provider refuses this worker", toggle),
    ...WORKER,
    ...SETTINGS,
    ...PRODUCER,
  },
  async run(context, { timeout, keepTrying, ...values }) {
    const { out, signal } = context;
    const queue = newWorkingQueue(context, {
      ...(await embedderOf(values, context.signal)),
      ...workerOptions(values),
      ...settingsOptions(values),
      // A mistyped name would be empty for ever.
      mustExist: true,
    });
    const tally = new Tally();
    const journal = new Journal(out, { isForPeople: true });
    tally.follow(queue);
    journal.follow(queue);
    context.closeAtEnd(queue);
    await queue.start();
    const run = new DrainRun(context, queue, tally, journal);
    try {
      await run.untilEmpty(timeout, keepTrying === true);
    } finally {
      // What the stop finishes or hands back belongs to the account of it.
      if (signal.aborted) out.note("stopping: calls in flight are waited for");
      await queue.stop();
      journal.end();
      if (signal.aborted) out.note(`until then: ${tally.sentence(run.elapsedMs)}`);
    }
    return summarize(context, tally, run);
  },
});

class DrainRun {
  readonly #context: Context;
  readonly #queue: EmbeddingQueue;
  readonly #tally: Tally;
  readonly #journal: Journal;
  readonly #startedAt: number = performance.now();
  /** What the provider refuses this worker for. */
  #refusal: Error | undefined;
  /** Something may have changed since the last look. */
  #isRung = false;
  #wake = (): void => {};
  #flushedAt = Number.NEGATIVE_INFINITY;
  /** Dead letters that there were at the begin, those included that were dropped. */
  #deadBefore: number | undefined;
  #deadNow = 0;
  /** Texts that left the queue, whoever embedded them. */
  #settled = 0;
  #pending: number | undefined;
  #wasPaused = false;

  constructor(context: Context, queue: EmbeddingQueue, tally: Tally, journal: Journal) {
    this.#context = context;
    this.#queue = queue;
    this.#tally = tally;
    this.#journal = journal;
    const refuse = (error: Error) => {
      this.#refusal ??= error;
      this.#ring();
    };
    queue.on("worker:paused", ({ error }) => refuse(error));
    queue.on("cooldown:started", ({ error }) => {
      // No credit, for instance: no waiting helps until somebody acts.
      if (error instanceof EmbedderError && error.kind === "fatal") refuse(error);
    });
    queue.on("batch:drained", () => this.#ring());
  }

  get elapsedMs(): number {
    return performance.now() - this.#startedAt;
  }

  /** Texts that were given up meanwhile, by whichever worker. */
  get dead(): number {
    return Math.max(this.#tally.dead, this.#deadNow - (this.#deadBefore ?? this.#deadNow));
  }

  /** @throws {CommandError} Where something is left: the time ran out, or the provider refuses. */
  async untilEmpty(timeoutMs = Number.POSITIVE_INFINITY, keepsTrying: boolean): Promise<void> {
    const { out, signal } = this.#context;
    const progress = new Progress(out, "drained");
    const onAbort = () => this.#ring();
    signal.addEventListener("abort", onAbort);
    try {
      for (;;) {
        const stats = await this.#queue.stats();
        signal.throwIfAborted();
        this.#count(stats);
        if (stats.pending === 0) return;
        progress.update(this.#progressOf(stats));
        const left = `${countedNoun(stats.pending, "text")} ${stats.pending === 1 ? "is" : "are"} left`;
        if (this.#refusal !== undefined && !keepsTrying) {
          throw new CommandError(
            `The provider refuses this worker, ${left}: ${messageOf(this.#refusal)}`,
            { hint: "mend what it says and drain again; --keep-trying waits for that instead" },
          );
        }
        if (this.elapsedMs >= timeoutMs) throw this.#timeoutError(left, timeoutMs, stats);
        // What has arrived since the last look is not to wait for a full batch.
        if (stats.waiting > 0 && !stats.isPaused) await this.#flush();
        await this.#next(Math.min(LOOK_EVERY_MS, timeoutMs - this.elapsedMs));
      }
    } finally {
      signal.removeEventListener("abort", onAbort);
      progress.end();
    }
  }

  async #flush(): Promise<void> {
    const now = performance.now();
    if (now - this.#flushedAt < LOOK_EVERY_MS) return;
    this.#flushedAt = now;
    await this.#queue.flushNow();
  }

  #ring(): void {
    this.#isRung = true;
    this.#wake();
  }

  /** Until a batch is through, or so long. */
  async #next(ms: number): Promise<void> {
    await pauseFor(Math.min(ms, LOOK_AT_MOST_EVERY_MS), this.#context.signal);
    if (!this.#isRung && !this.#context.signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.max(0, ms));
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#isRung = false;
  }

  #count({ pending, dead, deadDropped, isPaused }: QueueStats): void {
    this.#deadNow = dead + deadDropped;
    this.#deadBefore ??= this.#deadNow;
    this.#settled += Math.max(0, (this.#pending ?? pending) - pending);
    this.#pending = pending;
    if (isPaused && !this.#wasPaused) {
      this.#context.out.warn(
        "embedq: the queue is paused, nothing is claimed; embedq resume lets workers go on",
      );
    }
    if (!isPaused && this.#wasPaused) this.#journal.say("drain:resumed", "the queue was resumed");
    this.#wasPaused = isPaused;
  }

  #progressOf({ pending, parked, isPaused, cooldownMs }: QueueStats) {
    const fill = this.#tally.batchFill;
    const details = [
      ...(isPaused ? ["paused (embedq resume)"] : []),
      ...(cooldownMs > 0 ? [`provider left alone for ${span(cooldownMs)}`] : []),
      ...(fill === undefined ? [] : [`filled ${percent(fill)}`]),
      ...(parked > 0 ? [`${counted(parked)} parked`] : []),
      ...(this.dead > 0 ? [`${counted(this.dead)} dead`] : []),
    ];
    const detail = details.length === 0 ? undefined : details.join(", ");
    return { done: this.#settled, total: this.#settled + pending, detail };
  }

  #timeoutError(
    left: string,
    timeoutMs: number,
    { isPaused, cooldownMs }: QueueStats,
  ): CommandError {
    const why = isPaused
      ? ": the queue is paused"
      : cooldownMs > 0
        ? `: the provider asks for a pause, for another ${span(cooldownMs)}`
        : this.#refusal === undefined
          ? ""
          : `: ${messageOf(this.#refusal)}`;
    return new CommandError(`${left} after ${span(timeoutMs)}${why}`, {
      hint: isPaused ? "embedq resume" : "embedq stats shows the queue; drain again to go on",
    });
  }
}

function summarize({ out }: Context, tally: Tally, run: DrainRun): number {
  const { texts, calls, tokens, batchFill } = tally;
  const { dead, elapsedMs } = run;
  if (out.isJson) {
    out.json({ texts, calls, tokens, batchFill, dead, seconds: Math.round(elapsedMs) / 1000 });
  } else {
    out.line(
      calls === 0 && texts === 0 && dead === 0
        ? "nothing left to do here"
        : `nothing is left: ${tally.sentence(elapsedMs)}, in ${span(elapsedMs)}`,
    );
    if (dead > 0) {
      out.warn(`embedq: ${countedNoun(dead, "text")} given up meanwhile; embedq dead ls shows why`);
    }
  }
  return dead > 0 ? EXIT.partly : EXIT.done;
}
