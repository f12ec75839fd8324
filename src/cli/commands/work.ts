// embedq work: a worker, until it is told to stop.

import { clearInterval, setInterval } from "node:timers";
import type { EmbeddingQueue, QueueStats } from "../../index.ts";
import { type AddCommand, defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { counted, countedNoun, oneLine, span } from "../format.ts";
import { settingsOptions, workerOptions } from "../options/library.ts";
import { PRODUCER, PROVIDER, SETTINGS, WORKER } from "../options/shared.ts";
import { raised } from "../pause.ts";
import { Progress } from "../progress.ts";
import { embedderOf } from "../provider.ts";
import { Journal } from "../work/journal.ts";
import { newWorkingQueue, startPatiently } from "../work/start.ts";
import { Tally } from "../work/tally.ts";

const LIVE_EVERY_MS = 1000;
const SUMMARY_EVERY_MS = 60_000;
/** The library's own default; said at the stop. */
const STOP_TIMEOUT_MS = 10_000;

export const work: AddCommand = defineCommand({
  name: "work",
  summary: "embed what comes in, until stopped",
  description: [
    "A worker. Any number of them share a queue, on any number of machines. Ctrl-C or SIGTERM stops it in order: calls in flight get --stop-timeout, the rest is handed back to other workers. A second one ends it at once. It waits for a Redis that is not there yet.",
    "It says what matters: pauses and why, texts that were given up, failures, repairs, and what it did each minute. --verbose says each batch too, --quiet only warnings, --json prints every event as a line of JSON.",
  ].join("\n\n"),
  examples: [
    ["work --provider openai", "with the key from OPENAI_API_KEY"],
    ["work --provider ./embedder.mjs", "with an embedder of your own"],
    ["work --provider hashing --dimensions 256 --name trial", "to try it out, without any account"],
  ],
  options: { ...PROVIDER, ...WORKER, ...SETTINGS, ...PRODUCER },
  async run(context, values) {
    const { out } = context;
    const journal = new Journal(out);
    const tally = new Tally();
    const queue = newWorkingQueue(context, {
      ...(await embedderOf(values, context.signal)),
      ...workerOptions(values),
      ...settingsOptions(values),
    });
    let worker = "worker";
    queue.on("worker:started", (started) => {
      worker = started.worker;
    });
    tally.follow(queue);
    journal.follow(queue);
    try {
      if (!(await startPatiently(queue, context, journal))) {
        journal.say("work:stopped", "stopped before Redis was there");
        return undefined;
      }
      context.closeAtEnd(queue);
      const startedAt = performance.now();
      sayStart(context, journal, queue, worker, values.concurrency);
      await watched(context, queue, tally, journal, worker);
      await stop(context, journal, queue, values.stopTimeout ?? STOP_TIMEOUT_MS);
      journal.end();
      const ms = performance.now() - startedAt;
      const back = tally.handedBack > 0 ? `; ${counted(tally.handedBack)} handed back` : "";
      journal.say("work:stopped", `stopped after ${span(ms)}: ${tally.sentence(ms)}${back}`, {
        ...totalsOf(tally),
        handedBack: tally.handedBack,
      });
      return undefined;
    } finally {
      journal.end();
    }
  },
});

function sayStart(
  { name, redisPlace }: Context,
  journal: Journal,
  queue: EmbeddingQueue,
  worker: string,
  concurrency = 4,
): void {
  const { space, maxBatchSize, flushIntervalMs } = queue.settings;
  const model =
    space === undefined ? "" : `${oneLine(space.model)}, ${counted(space.dimensions)} dimensions`;
  const facts = [
    `${worker} works on ${oneLine(name)} at ${redisPlace}`,
    `${model}${space?.task ? `, ${oneLine(space.task)}` : ""}`,
    // Why a text alone is not embedded at once is the first question of all.
    `a batch starts at ${countedNoun(maxBatchSize ?? 0, "text")} or after ${span(flushIntervalMs ?? 0)}, ${countedNoun(concurrency, "call")} at once`,
  ];
  const settings = { ...space, maxBatchSize, flushIntervalMs, concurrency };
  const data = { worker, queue: name, redis: redisPlace, ...settings };
  journal.say("work:started", facts.join("; "), data);
}

/** Until the signal: shows what is done, a live line on a terminal, a summary each minute. */
async function watched(
  { out, signal }: Context,
  queue: EmbeddingQueue,
  tally: Tally,
  journal: Journal,
  worker: string,
): Promise<void> {
  const progress = out.isLive && !out.isJson ? new Progress(out, "embedded") : undefined;
  let [depth, isAsking] = ["", false];
  const show = () => {
    const own = [countedNoun(tally.calls, "call"), `${counted(tally.dead)} dead`];
    progress?.update({ done: tally.texts, detail: [depth, ...own].filter(Boolean).join(", ") });
    if (progress === undefined || isAsking) return;
    isAsking = true;
    queue
      .stats()
      .then(
        (stats) => {
          depth = depthOf(stats, worker);
        },
        () => {
          depth = "Redis is away";
        },
      )
      .finally(() => {
        isAsking = false;
      });
  };
  let told = tally.copy();
  const summary = setInterval(() => {
    const last = tally.since(told);
    told = tally.copy();
    if (last.calls === 0 && last.texts === 0 && last.dead === 0) return;
    journal.say(
      "work:minute",
      `in the last minute: ${last.sentence(SUMMARY_EVERY_MS)}`,
      totalsOf(last),
    );
  }, SUMMARY_EVERY_MS);
  const live = progress && setInterval(show, LIVE_EVERY_MS);
  show();
  try {
    await raised(signal);
  } finally {
    clearInterval(summary);
    clearInterval(live);
    progress?.end();
  }
}

/** What there is, or why nothing is done about it. */
function depthOf(stats: QueueStats, worker: string): string {
  const { waiting, inFlight, isPaused, cooldownMs, workers } = stats;
  const own = workers.find(({ name }) => name === worker)?.pause;
  const pauseMs = Math.max(cooldownMs, own?.leftMs ?? 0);
  const depth = `${counted(waiting)} waiting, ${counted(inFlight)} in flight`;
  if (isPaused) return `paused (embedq resume), ${depth}`;
  return pauseMs > 0 ? `no calls for ${span(pauseMs)}, ${depth}` : depth;
}

async function stop(
  { signal }: Context,
  journal: Journal,
  queue: EmbeddingQueue,
  timeoutMs: number,
): Promise<void> {
  const why = (signal.reason as Error).message;
  journal.say(
    "work:stopping",
    `${why}: calls in flight get ${span(timeoutMs)}, the rest is handed back`,
  );
  await queue.stop();
}

function totalsOf({ texts, calls, tokens, batchFill, dead }: Tally): object {
  return { texts, calls, tokens, batchFill, dead };
}
