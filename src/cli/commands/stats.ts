// embedq stats: the state of the queue, once or watched.

import type { QueueStats, StoredSettings, VectorSpace } from "../../index.ts";
import { type AddCommand, defineCommand } from "../command.ts";
import { UsageError } from "../errors.ts";
import { counted, oneLine, percent, span } from "../format.ts";
import { interval as intervalTime, toggle } from "../options/schemas.ts";
import { option } from "../options/spec.ts";
import { watchStats } from "../watch/watch.ts";

const WATCH_EVERY_MS = 1000;
const LEAST_EVERY_MS = 100;

export const stats: AddCommand = defineCommand({
  name: "stats",
  summary: "what waits, is in flight, and failed; once or live",
  description:
    "--watch takes the whole terminal; q, Esc or Ctrl-C ends it. Where the output is no terminal, it prints a line each time, with --json a JSON object a line.",
  examples: [
    ["stats", "once"],
    ["stats --watch", "live, in the whole terminal"],
    ["stats --json", "as data; pipe it to jq"],
    ["stats --watch --interval 30s >> queue.log", "a line each half minute"],
  ],
  options: {
    watch: option("--watch", "look again and again", toggle),
    interval: option(
      "--interval <time>",
      "how often --watch looks, 1s unless said otherwise",
      intervalTime,
    ),
  },
  async run(context, { watch, interval }) {
    if (interval !== undefined && watch !== true) {
      throw new UsageError("--interval says how often --watch looks: say --watch too");
    }
    if (interval !== undefined && interval < LEAST_EVERY_MS) {
      throw new UsageError(`--interval must be at least ${LEAST_EVERY_MS}ms`);
    }
    const queue = await context.queue();
    if (watch === true) {
      await watchStats(context, queue, interval ?? WATCH_EVERY_MS);
      return undefined;
    }
    const state = await queue.stats();
    const { settings } = queue;
    const { space } = settings;
    const { name, redisPlace, out } = context;
    if (out.isJson) out.json({ queue: name, redis: redisPlace, ...space, ...state });
    else for (const line of statsLines(state, { name, redisPlace, settings })) out.line(line);
    return undefined;
  },
});

interface QueueFacts {
  readonly name: string;
  readonly redisPlace: string;
  readonly settings: StoredSettings;
}

/** The state in words, one fact a line. */
function statsLines(stats: QueueStats, { name, redisPlace, settings }: QueueFacts): string[] {
  const { usage, workers } = stats;
  const oldest =
    stats.oldestWaitingMs === undefined ? "" : `, the oldest for ${span(stats.oldestWaitingMs)}`;
  const facts: Record<string, string> = {
    queue: `${oneLine(name)} at ${redisPlace}`,
    model: modelOf(settings.space),
    waiting: `${counted(stats.waiting)}${oldest}`,
    "in flight": counted(stats.inFlight),
    parked: counted(stats.parked),
    pending: counted(stats.pending),
    dead:
      stats.deadDropped > 0
        ? `${counted(stats.dead)}, ${counted(stats.deadDropped)} dropped`
        : counted(stats.dead),
    state: stateOf(stats, settings),
    calls: `${counted(usage.calls)}${usage.batchFill === undefined ? "" : `, filled ${percent(usage.batchFill)}`}`,
    texts: counted(usage.texts),
    tokens: `${counted(usage.tokens)}${usage.tokensEstimated > 0 ? `, of these ${counted(usage.tokensEstimated)} estimated` : ""}`,
    saved: `${counted(usage.cacheHits)} by the cache, ${counted(usage.skipHits)} unchanged`,
    failures: `${counted(usage.failures)}, deferred ${counted(usage.deferrals)}, given up ${counted(usage.dead)}`,
    claims: Object.entries(usage.claims)
      .map(([reason, count]) => `${reason} ${counted(count)}`)
      .join(", "),
    workers: workers.length === 0 ? "none" : String(workers.length),
  };
  const lines = Object.entries(facts).map(([name, value]) => `${name.padEnd(10)} ${value}`);
  for (const { name: worker, inFlight, idleMs, usage: own, pause } of workers) {
    const did = `${counted(inFlight)} in flight, ${counted(own.texts)} texts in ${counted(own.calls)} calls`;
    lines.push(`  ${oneLine(worker)}  ${did}, seen ${span(idleMs)} ago`);
    if (pause !== undefined) {
      lines.push(`    paused for ${span(pause.leftMs)}: ${oneLine(pause.reason)}`);
    }
  }
  return lines;
}

function modelOf(space: VectorSpace | undefined): string {
  if (space === undefined) return "not chosen yet";
  const task = space.task === "" ? "" : `, ${oneLine(space.task)}`;
  return `${oneLine(space.model)}, ${counted(space.dimensions)} dimensions${task}`;
}

function stateOf(stats: QueueStats, settings: StoredSettings): string {
  const { isPaused, cooldownMs, cooldownReason } = stats;
  if (isPaused) return "paused (embedq resume)";
  if (cooldownMs <= 0) return `running${whyTextsWait(stats, settings)}`;
  const why = cooldownReason === undefined ? "" : `: ${oneLine(cooldownReason)}`;
  return `no calls for ${span(cooldownMs)}${why}`;
}

/** Waiting texts look forgotten where nobody knows what they wait for. */
function whyTextsWait(
  { waiting, inFlight, oldestWaitingMs = 0, workers }: QueueStats,
  { maxBatchSize = 0, flushIntervalMs = 0 }: StoredSettings,
): string {
  if (waiting === 0) return "";
  if (workers.length === 0) return ", but no worker is there: embedq work or embedq drain is one";
  const leftMs = flushIntervalMs - oldestWaitingMs;
  if (inFlight > 0 || waiting >= maxBatchSize || leftMs <= 0) return "";
  return `; a batch starts at ${counted(maxBatchSize)} texts or in ${span(leftMs)}, embedq flush starts it at once`;
}
