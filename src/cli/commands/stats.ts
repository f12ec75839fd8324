// embedq stats: the state of the queue, once.

import type { QueueStats } from "../../index.ts";
import { type AddCommand, defineCommand } from "../command.ts";
import { counted, oneLine, percent, span } from "../format.ts";

export const stats: AddCommand = defineCommand({
  name: "stats",
  summary: "what waits, is in flight, and failed",
  examples: [
    ["stats", "once"],
    ["stats --json", "as data; pipe it to jq"],
  ],
  options: {},
  async run(context) {
    const queue = await context.queue();
    const state = await queue.stats();
    if (context.out.isJson) context.out.json(state);
    else for (const line of statsLines(state)) context.out.line(line);
    return undefined;
  },
});

/** The state in words, one fact a line. */
export function statsLines(stats: QueueStats): string[] {
  const { usage, workers } = stats;
  const oldest =
    stats.oldestWaitingMs === undefined ? "" : `, the oldest for ${span(stats.oldestWaitingMs)}`;
  const facts: Record<string, string> = {
    waiting: `${counted(stats.waiting)}${oldest}`,
    "in flight": counted(stats.inFlight),
    parked: counted(stats.parked),
    pending: counted(stats.pending),
    dead:
      stats.deadDropped > 0
        ? `${counted(stats.dead)}, ${counted(stats.deadDropped)} dropped`
        : counted(stats.dead),
    state: stateOf(stats),
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
  for (const { name, inFlight, idleMs, usage: own } of workers) {
    const did = `${counted(inFlight)} in flight, ${counted(own.texts)} texts in ${counted(own.calls)} calls`;
    lines.push(`  ${oneLine(name)}  ${did}, seen ${span(idleMs)} ago`);
  }
  return lines;
}

function stateOf({ isPaused, cooldownMs }: QueueStats): string {
  if (isPaused) return "paused (embedq resume)";
  return cooldownMs > 0 ? `no calls for ${span(cooldownMs)}` : "running";
}
