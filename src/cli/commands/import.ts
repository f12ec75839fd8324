// embedq import: the work of the Python module on sorted sets is moved into the queue.

import { setTimeout as pause } from "node:timers/promises";
import type { EmbeddingQueue, TakeOverProgress } from "../../index.ts";
import { type AddCommand, defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { isRedisAway, messageOf } from "../errors.ts";
import { EXIT } from "../exit-codes.ts";
import { counted, countedNoun, oneLine } from "../format.ts";
import { duration, interval as intervalTime, toggle, word } from "../options/schemas.ts";
import { WORKER } from "../options/shared.ts";
import { option, optionWith } from "../options/spec.ts";
import { Progress } from "../progress.ts";

/** What all rounds together have done; what is left is that of the last round. */
interface Summary extends TakeOverProgress {
  readonly left: number;
  readonly done: boolean;
}

const NOTHING: Summary = {
  enqueued: 0,
  known: 0,
  superseded: 0,
  malformed: 0,
  problems: [],
  left: 0,
  done: true,
};

export const importCommand: AddCommand = defineCommand({
  name: "import",
  summary: "take over the texts of a sorted-set queue of the Python module",
  description:
    "Moves what waits in <prefix>:pending, and what dead workers left in <prefix>:inflight, into the\n" +
    "queue. The module may go on meanwhile: what its live workers hold is left to them.",
  examples: [
    ["import", "once"],
    ["import --watch", "again and again, while producers are moved to embedq"],
    ["import --in-flight-after 0", "when the module is stopped: all that is left"],
  ],
  options: {
    prefix: optionWith("--prefix <prefix>", "what its keys begin with", word, "embed_queue"),
    inFlightAfter: optionWith(
      "--in-flight-after <time>",
      "age from which on a text in flight counts as left behind",
      duration,
      300_000,
      "5m",
    ),
    watch: option("--watch", "go on until interrupted", toggle),
    interval: optionWith(
      "--interval <time>",
      "the pause between two rounds of --watch",
      intervalTime,
      1000,
      "1s",
    ),
    doneChannelPrefix: WORKER.doneChannelPrefix,
  },
  async run(context, { prefix, inFlightAfter, watch, interval, doneChannelPrefix }) {
    const { out, signal } = context;
    const queue = await context.queue({ doneChannelPrefix });
    const progress = new Progress(out, "taken over");
    const rounds = new Rounds(queue, context, progress, { prefix, inFlightAfterMs: inFlightAfter });
    await rounds.take();
    while (watch === true && !signal.aborted) {
      // The interruption ends the pause, and then the loop.
      await pause(interval, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) await rounds.takeOrWarn();
    }
    progress.end();
    report(context, rounds.summary);
    if (watch !== true) signal.throwIfAborted();
    const { malformed, left } = rounds.summary;
    return malformed + left > 0 ? EXIT.partly : EXIT.done;
  },
});

class Rounds {
  readonly #queue: EmbeddingQueue;
  readonly #context: Context;
  readonly #progress: Progress;
  readonly #options: { readonly prefix: string; readonly inFlightAfterMs: number };
  summary: Summary = NOTHING;

  constructor(
    queue: EmbeddingQueue,
    context: Context,
    progress: Progress,
    options: { readonly prefix: string; readonly inFlightAfterMs: number },
  ) {
    this.#queue = queue;
    this.#context = context;
    this.#progress = progress;
    this.#options = options;
  }

  async take(): Promise<void> {
    const before = this.summary;
    const onProgress = (round: TakeOverProgress) => this.#add(before, round);
    const { signal } = this.#context;
    const round = await this.#queue.takeOver({ ...this.#options, signal, onProgress });
    this.#add(before, round);
    this.summary = { ...this.summary, left: round.left, done: round.done };
  }

  /** In a long watch Redis may be away for a while. */
  async takeOrWarn(): Promise<void> {
    try {
      await this.take();
    } catch (error) {
      if (!isRedisAway(error)) throw error;
      this.#context.out.note(`embedq: ${messageOf(error)}; trying again`);
    }
  }

  #add(before: Summary, round: TakeOverProgress): void {
    const enqueued = before.enqueued + round.enqueued;
    const known = before.known + round.known;
    const superseded = before.superseded + round.superseded;
    this.summary = { ...before, ...round, enqueued, known, superseded };
    this.#progress.update({ done: enqueued + known + superseded });
  }
}

function report({ out }: Context, summary: Summary): void {
  if (out.isJson) out.json(summary);
  else {
    const { enqueued, known, superseded } = summary;
    out.line(
      `${countedNoun(enqueued, "text")} enqueued, ${counted(known)} known already, ` +
        `${counted(superseded)} replaced by newer ones`,
    );
  }
  const { left, malformed, problems } = summary;
  if (left > 0) {
    const texts = countedNoun(left, "text");
    out.warn(`embedq: ${texts} in the hands of the module's workers (see --in-flight-after)`);
  }
  if (malformed === 0) return;
  out.warn(`embedq: ${countedNoun(malformed, "malformed member")} left where they are`);
  for (const { where, reason } of problems) out.warn(`  ${where}: ${oneLine(reason, 160)}`);
}
