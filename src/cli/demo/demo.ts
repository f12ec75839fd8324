// The demo from end to end. Everything that it opens is closed in the reverse order, however it ends:
//
//   Redis ─▶ visit ─▶ queue ─▶ two worker processes ─▶ enqueue, await, search, report

import { setMaxListeners } from "node:events";
import { EmbeddingQueue, type Ticket } from "../../index.ts";
import type { Context } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { counted, countedNoun } from "../format.ts";
import { Progress } from "../progress.ts";
import { type Corpus, collectCorpus, type Passage } from "./corpus.ts";
import { BATCH, demoEmbedder } from "./embedder.ts";
import { Page } from "./page.ts";
import { chooseQuestions } from "./questions.ts";
import { figuresAsData, isRight, printAnswers, printReport, readLeftovers } from "./report.ts";
import { countRight, nearest, readStored } from "./search.ts";
import { openServer } from "./server.ts";
import { Visit } from "./visit.ts";
import { orderly } from "./within.ts";
import { Workers } from "./workers.ts";

const WORKERS = 2;
const ANSWERS = 2;
/** Texts in one enqueueMany: two batches. */
const CHUNK: number = 2 * BATCH;
/** The longest that one step may take: with a Redis that has gone away, the demo ends too. */
const TIMEOUT_MS = 120_000;

export interface DemoOptions {
  /** A URL, `private` or `embedded`; undefined: the first that can be had. */
  readonly redis: string | undefined;
  /** Undefined: as many as the server takes well. */
  readonly texts: number | undefined;
  readonly questions: readonly string[];
  /** Undefined or empty: those that come with embedq. */
  readonly files: readonly string[];
}

/** @returns The exit code: whether all is as it must be. */
export async function runDemo(context: Context, options: DemoOptions): Promise<number> {
  // Raised also by a worker that has died.
  const broken = new AbortController();
  const signal = AbortSignal.any([context.signal, broken.signal]);
  // Every ticket listens; from the eleventh on Node would warn of a leak.
  setMaxListeners(0, signal);
  try {
    return (await run(context, options, signal, broken)) ? EXIT.done : EXIT.failed;
  } catch (error) {
    // What broke first, not what broke because of it.
    throw signal.aborted ? signal.reason : error;
  }
}

async function run(
  context: Context,
  options: DemoOptions,
  signal: AbortSignal,
  broken: AbortController,
): Promise<boolean> {
  const { out } = context;
  const page = new Page(out);
  const reportCleaning = (line: string) => page.fact("Cleaned up", line);
  const server = await openServer(options.redis, reportCleaning);
  context.closeAtEnd(server);
  page.fact("Redis", server.what);
  const wanted = Math.min(options.texts ?? server.texts.usual, server.texts.most);
  if (wanted < (options.texts ?? 0)) page.fact("", `takes ${counted(wanted)} texts at most`);

  const corpus = collectCorpus(options.files, wanted);
  const { length } = corpus.passages;
  const unit = corpus.kind === "package" ? "sentence" : "paragraph";
  page.fact("Corpus", `${countedNoun(length, unit)} from ${countedNoun(corpus.files, "file")}`);
  signal.throwIfAborted();
  const visit = await Visit.begin(server, signal, reportCleaning);
  context.closeAtEnd({ stop: () => visit.leave() });
  await visit.store(corpus.passages);

  const { model, dimensions } = demoEmbedder();
  const queue = new EmbeddingQueue({
    redis: visit.client,
    name: visit.name,
    model,
    dimensions,
  });
  context.closeAtEnd(queue);
  await orderly(queue.start(), TIMEOUT_MS, "Starting the queue", signal);
  const workers = await Workers.start(WORKERS, server.url, visit.name, signal, {
    onTrouble: (line) => {
      if (!signal.aborted) out.warn(line);
    },
    onLost: (error) => broken.abort(error),
  });
  context.closeAtEnd({ stop: () => workers.abandon() });
  const pids = workers.each.map(({ pid }) => pid).join(" and ");
  page.fact(
    "Workers",
    `processes ${pids}; the embedder hashes words (lexical, ${dimensions} dimensions)`,
  );
  page.line();

  const { embedded, elapsedMs } = await embedAll(context, queue, visit, corpus, signal);
  // A ticket ends when its vector is stored, a moment before the worker settles.
  await workers.stop();
  const stored = await readStored(visit);
  const right = await countRight(stored);
  const questions = chooseQuestions(options.questions, corpus);
  const answers = await Promise.all(
    questions.map(async (question) => ({
      question,
      hits: await nearest(stored, question, ANSWERS),
    })),
  );
  const figures = {
    texts: length,
    embedded,
    right,
    elapsedMs,
    workers: workers.each,
    left: await readLeftovers(visit),
  };
  if (out.isJson) out.json(figuresAsData(figures, answers));
  for (const { question, hits } of answers) printAnswers(page, question, hits);
  printReport(page, figures);
  return isRight(figures);
}

/** Enqueues all texts and awaits all tickets, with live progress. */
async function embedAll(
  { out }: Context,
  queue: EmbeddingQueue,
  visit: Visit,
  { passages }: Corpus,
  signal: AbortSignal,
): Promise<{ embedded: number; elapsedMs: number }> {
  const progress = new Progress(out, "embedded");
  const total = passages.length;
  let [enqueued, done] = [0, 0];
  const show = () =>
    progress.update({ done, total, detail: `${counted(enqueued - done)} in the queue` });
  const follow = async (ticket: Ticket): Promise<boolean> => {
    const { status } = await ticket.outcome({ signal, timeoutMs: TIMEOUT_MS });
    done += 1;
    show();
    return status === "embedded";
  };
  const itemOf = ({ text }: Passage, index: number) => ({ key: visit.keyOf(index), text });
  const items = passages.map(itemOf);

  try {
    const outcomes: Promise<boolean>[] = [];
    for (let at = 0; at < items.length; at += CHUNK) {
      const accepting = queue.enqueueMany(items.slice(at, at + CHUNK), { signal });
      const tickets = await orderly(accepting, TIMEOUT_MS, "Enqueuing", signal);
      enqueued += tickets.length;
      show();
      for (const ticket of tickets) {
        const outcome = follow(ticket);
        // Heard below; until then a failure must not count as unhandled.
        outcome.catch(() => {});
        outcomes.push(outcome);
      }
    }
    // The rest that fills no batch would wait for its timer.
    await orderly(queue.flushNow(), TIMEOUT_MS, "Flushing", signal);
    const embedded = (await Promise.all(outcomes)).filter(Boolean).length;
    return { embedded, elapsedMs: progress.elapsedMs };
  } finally {
    progress.end();
  }
}
