// The demo from end to end. Everything that it opens is closed in the reverse order, however it ends:
//
//   Redis ─▶ visit ─▶ queue ─▶ two worker processes ─▶ enqueue, await, search, report

import { EmbeddingQueue, type Ticket } from "../../src/index.ts";
import { type Corpus, collectCorpus, type Passage } from "./corpus.ts";
import { BATCH, demoEmbedder } from "./embedder.ts";
import { Interrupted, Interruption, orderly } from "./interruption.ts";
import { type DemoOptions, readOptions, USAGE } from "./options.ts";
import { Progress } from "./progress.ts";
import { chooseQuestions } from "./questions.ts";
import { printAnswers, printReport, readLeftovers } from "./report.ts";
import { counted, Screen } from "./screen.ts";
import { countRight, nearest, readStored } from "./search.ts";
import { openServer } from "./server.ts";
import { Visit } from "./visit.ts";
import { Workers } from "./workers.ts";

const WORKERS = 2;
const ANSWERS = 2;
/** Texts in one enqueueMany: two batches. */
const CHUNK = 2 * BATCH;
/** The longest that one step may take: with a Redis that has gone away, the demo ends too. */
const TIMEOUT_MS = 120_000;

process.exitCode = await main(process.argv.slice(2));

/** Exit codes: 0 all is right, 1 something is not, 2 called wrongly, 128 + the signal's number. */
async function main(args: readonly string[]): Promise<number> {
  const screen = new Screen();
  let options: DemoOptions;
  try {
    options = readOptions(args);
  } catch (error) {
    return fail(error, 2);
  }
  if (options.help) {
    screen.line(USAGE.trimEnd());
    return 0;
  }
  using interruption = new Interruption();
  try {
    return (await run(options, screen, interruption)) ? 0 : 1;
  } catch (error) {
    screen.endLive();
    // What broke first, not what broke because of it.
    const reason: unknown = interruption.signal.aborted ? interruption.signal.reason : error;
    if (!(reason instanceof Interrupted)) return fail(reason, 1);
    screen.line(`${reason.message}; cleaned up`);
    return reason.exitCode;
  }
}

async function run(
  options: DemoOptions,
  screen: Screen,
  interruption: Interruption,
): Promise<boolean> {
  const { signal } = interruption;
  const reportCleaning = (line: string) => screen.fact("Cleaned up", line);
  await using server = await openServer(options.redis, reportCleaning);
  screen.fact("Redis", server.what);
  const wanted = Math.min(options.texts ?? server.texts.usual, server.texts.most);
  if (wanted < (options.texts ?? 0)) screen.fact("", `takes ${counted(wanted)} texts at most`);

  const corpus = collectCorpus(options.files, wanted);
  screen.fact(
    "Corpus",
    `${counted(corpus.passages.length)} ${corpus.passages.length === 1 ? "paragraph" : "paragraphs"} from ${counted(corpus.files)} ${corpus.files === 1 ? "file" : "files"}`,
  );
  signal.throwIfAborted();
  await using visit = await Visit.begin(server, signal, reportCleaning);
  await visit.store(corpus.passages);

  const { model, dimensions } = demoEmbedder();
  await using queue = new EmbeddingQueue({
    redis: visit.client,
    name: visit.name,
    model,
    dimensions,
  });
  await orderly(queue.start(), TIMEOUT_MS, "Starting the queue", signal);
  await using workers = await Workers.start(WORKERS, server.url, visit.name, signal, {
    onTrouble: (line) => {
      if (!signal.aborted) screen.line(line);
    },
    onLost: (error) => interruption.end(error),
  });
  const pids = workers.each.map(({ pid }) => pid).join(" and ");
  screen.fact(
    "Workers",
    `processes ${pids}; the embedder hashes words (lexical, ${dimensions} dimensions)`,
  );
  screen.line();

  const { embedded, elapsedMs } = await embedAll(queue, visit, corpus, screen, signal);
  // A ticket ends when its vector is stored, a moment before the worker settles.
  await workers.stop();
  const stored = await readStored(visit);
  const right = await countRight(stored);
  const isUsual = options.files.length === 0;
  for (const question of chooseQuestions(options.questions, corpus.passages, isUsual)) {
    printAnswers(screen, question, await nearest(stored, question, ANSWERS));
  }
  const figures = {
    texts: corpus.passages.length,
    embedded,
    right,
    elapsedMs,
    workers: workers.each,
  };
  return printReport(screen, figures, await readLeftovers(visit));
}

/** Enqueues all texts and awaits all tickets, with live progress. */
async function embedAll(
  queue: EmbeddingQueue,
  visit: Visit,
  { passages }: Corpus,
  screen: Screen,
  signal: AbortSignal,
): Promise<{ embedded: number; elapsedMs: number }> {
  using progress = new Progress(screen, passages.length);
  const follow = async (ticket: Ticket): Promise<boolean> => {
    const { status } = await ticket.outcome({ signal, timeoutMs: TIMEOUT_MS });
    progress.addEmbedded();
    return status === "embedded";
  };
  const itemOf = ({ text }: Passage, index: number) => ({ key: visit.keyOf(index), text });
  const items = passages.map(itemOf);

  const outcomes: Promise<boolean>[] = [];
  for (let at = 0; at < items.length; at += CHUNK) {
    const accepting = queue.enqueueMany(items.slice(at, at + CHUNK), { signal });
    const tickets = await orderly(accepting, TIMEOUT_MS, "Enqueuing", signal);
    progress.addEnqueued(tickets.length);
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
}

function fail(error: unknown, code: number): number {
  process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
  return code;
}
