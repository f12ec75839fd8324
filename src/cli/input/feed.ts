// The way of inputs into the queue, one after the other: read, checked, enqueued, and waited for if
// that is wished. However it ends, it says how far it came.

import type { EmbeddingQueue } from "../../index.ts";
import { commandAgain } from "../again.ts";
import type { Context } from "../context.ts";
import { CommandError } from "../errors.ts";
import { EXIT } from "../exit-codes.ts";
import { counted, countedNoun, oneLine, span } from "../format.ts";
import type { Outstanding } from "../outstanding.ts";
import { Progress } from "../progress.ts";
import { BadLines, placed } from "./bad-lines.ts";
import type { InputItem, ItemMaker } from "./items.ts";
import type { RowReader } from "./rows.ts";
import { DrySink, QueueSink, type Sink } from "./sink.ts";
import type { Source } from "./source.ts";

/** One file, and what makes items of it. */
export interface Input {
  readonly source: Source;
  readonly maker: ItemMaker;
  reader(): RowReader;
}

export interface FeedOptions {
  readonly stopsAtBadLine: boolean;
  /** Lines of the first input that are passed over. */
  readonly skipLines: number;
  /** How many texts may be outstanding where they are waited for. */
  readonly maxPending: number;
  /** Whether the last batch, which is not full, is due at once. */
  readonly flushes: boolean;
}

export interface FeedPlan extends FeedOptions {
  readonly inputs: readonly Input[];
}

/** Items that a dry run shows. */
const MAX_SAMPLE = 5;

/**
 * Takes the inputs in and reports what came of it.
 *
 * @param queue Undefined for a dry run.
 * @param outstanding Where texts are waited for.
 * @returns The exit code.
 */
export async function feed(
  context: Context,
  plan: FeedPlan,
  queue: EmbeddingQueue | undefined,
  outstanding: Outstanding | undefined,
): Promise<number> {
  const run = new Feed(context, plan, queue, outstanding);
  try {
    await run.readAll();
    await run.settle();
  } catch (error) {
    run.report(false);
    throw error;
  }
  return run.report(true);
}

class Feed {
  readonly #context: Context;
  readonly #plan: FeedPlan;
  readonly #queue: EmbeddingQueue | undefined;
  readonly #outstanding: Outstanding | undefined;
  readonly #progress: Progress;
  readonly #bad: BadLines;
  readonly #sample: InputItem[] = [];
  /** Raised by Ctrl-C, and by a text that cannot be enqueued: nobody reads on. */
  readonly #halt = new AbortController();
  readonly #signal: AbortSignal;
  /** The input under way, and how far it came. */
  #at = 0;
  #line: number;
  #accepted = 0;
  #readAll = false;

  constructor(
    context: Context,
    plan: FeedPlan,
    queue: EmbeddingQueue | undefined,
    outstanding: Outstanding | undefined,
  ) {
    this.#context = context;
    this.#plan = plan;
    this.#queue = queue;
    this.#outstanding = outstanding;
    this.#progress = new Progress(context.out, queue === undefined ? "checked" : "enqueued");
    this.#bad = new BadLines(context.out);
    this.#signal = AbortSignal.any([context.signal, this.#halt.signal]);
    this.#line = plan.skipLines;
  }

  async readAll(): Promise<void> {
    const { inputs, skipLines } = this.#plan;
    for (const [at, input] of inputs.entries()) {
      this.#at = at;
      this.#line = at === 0 ? skipLines : 0;
      await this.#readOne(input);
    }
    this.#readAll = true;
  }

  /** Waits for what is still outstanding. */
  async settle(): Promise<void> {
    if (this.#plan.flushes) await this.#queue?.flushNow();
    await this.#outstanding?.atMost(0, () => this.#show());
  }

  async #readOne({ source, maker, reader }: Input): Promise<void> {
    const sink = this.#sink();
    const rows = reader();
    const before = this.#accepted;
    const skipped = this.#line;
    const note = () => {
      this.#accepted = before + sink.accepted;
      this.#line = Math.max(skipped, sink.line);
      this.#show();
    };
    const take = async (found: ReturnType<RowReader["read"]>) => {
      for (const row of found) {
        if (row.endLine <= skipped) continue;
        const item = "problem" in row ? row : maker.of(row);
        if (!("problem" in item)) sink.add(item);
        else if (this.#plan.stopsAtBadLine) {
          this.#bad.count++;
          await sink.finish();
          throw stoppedAt(
            placed(source.name, item),
            item.line === 1 && /JSON/.test(item.problem.words),
          );
        } else this.#bad.report(source.name, item);
      }
      await sink.room();
      note();
    };
    try {
      for await (const chunk of source.chunks(this.#signal)) await take(rows.read(chunk));
      await take(rows.end());
      await sink.finish();
    } finally {
      await sink.cut();
      note();
      this.#bad.endFile(source.name);
    }
  }

  #sink(): Sink {
    const queue = this.#queue;
    if (queue === undefined) return new DrySink(this.#sample, MAX_SAMPLE);
    const outstanding = this.#outstanding;
    const { maxPending } = this.#plan;
    return new QueueSink(
      queue,
      async (tickets) => {
        outstanding?.add(tickets);
        if (outstanding === undefined || outstanding.open < maxPending) return;
        // Less than a batch would wait for the timer of the queue, and this with it.
        if (queue.settings.maxBatchSize > maxPending) await queue.flushNow();
        await outstanding.atMost(maxPending - 1, () => this.#show());
      },
      (error) => this.#halt.abort(error),
    );
  }

  #show(): void {
    const sizes = this.#plan.inputs.map(({ source }) => source.size);
    const bytes = this.#plan.inputs.reduce((sum, { source }) => sum + source.bytesRead, 0);
    const total = sizes.reduce<number | undefined>(
      (sum, size) => (sum === undefined || size === undefined ? undefined : sum + size),
      0,
    );
    const outstanding = this.#outstanding;
    if (this.#readAll && outstanding !== undefined) {
      const done = outstanding.settled;
      this.#progress.update({ done, total: done + outstanding.open, detail: "settled" });
      return;
    }
    const share = total === undefined || total === 0 ? undefined : Math.min(1, bytes / total);
    const details = [
      ...(outstanding === undefined ? [] : [`${counted(outstanding.settled)} settled`]),
      ...(this.#bad.count === 0 ? [] : [`${counted(this.#bad.count)} bad`]),
    ];
    const detail = details.length === 0 ? undefined : details.join(", ");
    this.#progress.update({ done: this.#accepted, share, detail });
  }

  /** Says what came of it; the exit code where it came to its end. */
  report(isDone: boolean): number {
    this.#progress.end();
    const { out } = this.#context;
    const isNothing = !isDone && this.#accepted === 0;
    if (out.isJson) out.json(this.#summary(isDone));
    else if (!isNothing) this.#say();
    if (!isDone && !this.#readAll && !isNothing) this.#sayHowToGoOn();
    const dead = this.#outstanding?.counts.dead ?? 0;
    return this.#bad.count > 0 || dead > 0 ? EXIT.partly : EXIT.done;
  }

  #summary(isDone: boolean): object {
    const { source } = this.#plan.inputs[this.#at] ?? {};
    const isDry = this.#queue === undefined;
    return {
      done: isDone,
      read: this.#accepted + this.#bad.count,
      enqueued: isDry ? 0 : this.#accepted,
      bad: this.#bad.count,
      seconds: Math.round(this.#progress.elapsedMs) / 1000,
      ...(this.#outstanding && {
        outcomes: this.#outstanding.counts,
        open: this.#outstanding.open,
      }),
      ...(isDry && { sample: this.#sample.map(({ key, text }) => ({ key, text })) }),
      ...(!isDone && !this.#readAll && { goOn: { file: source?.path, skipLines: this.#line } }),
    };
  }

  #say(): void {
    const { out } = this.#context;
    const isDry = this.#queue === undefined;
    for (const { key, text } of this.#sample) {
      out.line(`${oneLine(key, 60)}  ${out.style.dim(oneLine(text, 80))}`);
    }
    const what = isDry ? "could be enqueued" : `enqueued in ${span(this.#progress.elapsedMs)}`;
    const parts = [`${countedNoun(this.#accepted, "text")} ${what}`];
    if (this.#bad.count > 0 && !this.#plan.stopsAtBadLine) {
      parts.push(`${countedNoun(this.#bad.count, "bad line")} skipped`);
    }
    for (const [status, count] of Object.entries(this.#outstanding?.counts ?? {})) {
      if (count > 0) parts.push(`${counted(count)} ${status}`);
    }
    out.line(parts.join(", "));
  }

  #sayHowToGoOn(): void {
    if (this.#queue === undefined) return;
    const { inputs } = this.#plan;
    const { source } = inputs[this.#at] ?? {};
    if (source === undefined) return;
    const { out } = this.#context;
    const done = inputs.slice(0, this.#at).map((input) => input.source.path);
    const again = commandAgain({
      flags: { "--skip-lines": String(this.#line) },
      withoutWords: done,
    });
    out.warn(`Enqueued up to line ${this.#line} of ${oneLine(source.name)}. To go on:`);
    out.warn(`  ${again}`);
  }
}

/** @param isOther Whether already the first line is of another format than it was read in. */
function stoppedAt(place: string, isOther: boolean): CommandError {
  return new CommandError(`Stopped at ${place}`, {
    hint: isOther
      ? "is it CSV or plain lines? Say --format csv, or --format lines with --key-template 'doc:{line}'"
      : "--on-bad-line skip passes over such lines",
  });
}
