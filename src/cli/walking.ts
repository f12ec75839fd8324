// What backfill and reembed share: their options, their progress, and how to go on after an end before
// the end.

import {
  type EmbeddingQueue,
  WalkError,
  type WalkProgress,
  type WalkRange,
  type WalkResult,
} from "../index.ts";
import { commandAgain } from "./again.ts";
import { type Context, LONG_COMMAND_TIMEOUT_MS } from "./context.ts";
import { CommandError, UsageError } from "./errors.ts";
import { EXIT } from "./exit-codes.ts";
import { counted, countedNoun, oneLine, span } from "./format.ts";
import { MODEL, type ModelValues } from "./options/producer.ts";
import { count, duration, toggle, word } from "./options/schemas.ts";
import { PRODUCER, type ProducerValues } from "./options/shared.ts";
import { option, type SpecsOf } from "./options/spec.ts";
import { Progress } from "./progress.ts";

/** How often it is asked how much is left. */
const LOOK_EVERY_MS = 1000;

export interface WalkValues extends ModelValues, ProducerValues {
  readonly match: string | undefined;
  readonly textField: string | undefined;
  readonly cursor: string | undefined;
  readonly pageSize: number | undefined;
  readonly maxPending: number | undefined;
  readonly wait: boolean | undefined;
  readonly timeout: number | undefined;
}

export const WALK: SpecsOf<WalkValues> = {
  match: option("--match <pattern>", "which keys, as Redis' SCAN takes it: 'doc:*'", word),
  textField: option("--text-field <name>", "field of the hashes that holds the text", word),
  cursor: option("--cursor <cursor>", "go on where an earlier walk ended", word),
  pageSize: option("--page-size <count>", "keys in one step, 500 unless said", count(1, 10_000)),
  maxPending: option(
    "--max-pending <count>",
    "wait while so many texts of the queue are not settled, 10,000 unless said",
    count(),
  ),
  wait: option("--wait", "wait at the end until all that is outstanding is settled", toggle),
  timeout: option("--timeout <time>", "with --wait, give up after this long", duration),
  ...PRODUCER,
  ...MODEL,
};

/** What a walk is called with. */
export type WalkCall = WalkRange & { readonly textField: string };

/**
 * Walks, and says what came of it.
 *
 * @param call Begins the walk.
 * @returns The exit code.
 */
export async function walk(
  context: Context,
  options: WalkValues,
  call: (queue: EmbeddingQueue, range: WalkCall) => Promise<WalkResult>,
): Promise<number> {
  const { out, signal } = context;
  const { match, textField, cursor, pageSize, maxPending, onMissing } = options;
  if (match === undefined) throw new UsageError("Which keys? Say --match, like --match 'doc:*'");
  if (textField === undefined) {
    throw new UsageError(
      "Where is the text? Say --text-field, the field of the hashes that holds it",
    );
  }
  const { model, dimensions, task } = options;
  const queue = await context.queue({
    // The first that is done with a new queue may be a backfill.
    mustExist: false,
    onMissing,
    model,
    dimensions,
    task,
    commandTimeoutMs: LONG_COMMAND_TIMEOUT_MS,
  });
  const deadBefore = await deadOf(queue);
  const progress = new Progress(out, "walked");
  const onProgress = (state: WalkProgress) => progress.update(shown(state));
  let result: WalkResult;
  try {
    const range = { match, textField, cursor, pageSize, maxPending, signal, onProgress };
    result = await call(queue, range);
  } catch (error) {
    progress.end();
    if (error instanceof WalkError) sayHowToGoOn(context, error.progress);
    throw error;
  }
  progress.end();
  if (!result.done) {
    if (out.isJson) out.json(result);
    sayHowToGoOn(context, result);
    signal.throwIfAborted();
  }
  const { elapsedMs } = progress;
  const isSettled = options.wait !== true || (await settle(context, queue, options.timeout));
  const dead = options.wait === true ? (await deadOf(queue)) - deadBefore : 0;
  if (out.isJson) out.json({ ...result, ...(options.wait && { settled: isSettled, dead }) });
  else {
    const { enqueued, unchanged, skipped } = result;
    const counts = `${counted(unchanged)} unchanged, ${counted(skipped)} left alone`;
    out.line(`${countedNoun(enqueued, "text")} enqueued in ${span(elapsedMs)}, ${counts}`);
    if (result.matched === 0) out.note(`No hash matches ${oneLine(match)}`);
    else if (enqueued === 0 && unchanged === 0)
      out.note(
        `Nothing to enqueue: is ${oneLine(textField)} the field of the texts? What is done is left alone too`,
      );
    if (dead > 0) out.line(`${countedNoun(dead, "text")} given up meanwhile: embedq dead ls`);
  }
  if (!isSettled) throw notSettled(options.timeout ?? 0);
  return dead > 0 ? EXIT.partly : EXIT.done;
}

function shown({ scanned, total, enqueued, matched }: WalkProgress) {
  const share = total === 0 ? undefined : Math.min(1, scanned / total);
  return { done: matched, share, detail: `${counted(enqueued)} enqueued` };
}

function sayHowToGoOn({ out }: Context, { cursor, enqueued, matched }: WalkProgress): void {
  out.warn(
    `Came to ${countedNoun(matched, "hash", "hashes")}, ${counted(enqueued)} enqueued. To go on:`,
  );
  out.warn(`  ${commandAgain({ flags: { "--cursor": cursor } })}`);
}

/** Letters that were ever written: dropped ones count too. */
async function deadOf(queue: EmbeddingQueue): Promise<number> {
  const { dead, deadDropped } = await queue.stats();
  return dead + deadDropped;
}

/** False where the time ran out. */
async function settle(
  { out, signal }: Context,
  queue: EmbeddingQueue,
  timeoutMs = Number.POSITIVE_INFINITY,
): Promise<boolean> {
  const { pending: total, workers } = await queue.stats();
  if (total > 0 && workers.length === 0) {
    out.note("No worker runs on this queue: embedq work or embedq drain is one");
  }
  const progress = new Progress(out, "settled");
  let isLooking = false;
  const look = async () => {
    if (isLooking) return;
    isLooking = true;
    try {
      const { pending } = await queue.stats();
      progress.update({ done: Math.max(0, total - pending), total });
    } catch {
      // The wait itself will say it.
    } finally {
      isLooking = false;
    }
  };
  const timer = setInterval(() => void look(), LOOK_EVERY_MS);
  try {
    return (await queue.flushAndWait({ timeoutMs, signal })).done;
  } finally {
    clearInterval(timer);
    progress.end();
  }
}

function notSettled(timeoutMs: number): CommandError {
  return new CommandError(`Not everything was settled within ${span(timeoutMs)}; it stays queued`, {
    hint: "does a worker run? embedq stats shows it",
  });
}
