// What the command line can do. Each command asks the queue and says what it found, as data and as lines.

import type { EmbeddingQueue, UsageStats } from "../index.ts";

/** What a command found: `data` for `--json`, `lines` for people. */
export interface Answer {
  readonly data: unknown;
  readonly lines: readonly string[];
  /** True where what was asked for did not come about: exit code 1. */
  readonly hasFailed?: boolean;
}

/** One command of the command line. */
export interface Command {
  /** Its words. */
  readonly name: string;
  readonly usage: string;
  readonly summary: string;
  readonly minArguments: number;
  readonly maxArguments: number;
  run(queue: EmbeddingQueue, words: readonly string[]): Promise<Answer>;
}

/** Every command. */
export const COMMANDS: readonly Command[] = [
  {
    ...named("stats", "what waits, is in flight, and failed"),
    run: async (queue) => {
      const stats = await queue.stats();
      const { workers, usage, ...counts } = stats;
      const lines = Object.entries(counts).map(
        ([name, value]) => `${name.padEnd(16)} ${value ?? "-"}`,
      );
      lines.push(...usageLines(usage));
      for (const { name, inFlight, idleMs, usage: own } of workers) {
        const did = `${inFlight} in flight, ${own.texts} texts in ${own.calls} calls`;
        lines.push(`${name.padEnd(24)} ${did}, seen ${idleMs} ms ago`);
      }
      return { data: stats, lines };
    },
  },
  {
    ...named("flush", "drain now what waits, and wait for it"),
    run: async (queue) => {
      const result = await queue.flushAndWait();
      return {
        data: result,
        lines: [
          result.done
            ? "done"
            : `not settled after 15 seconds: ${result.remaining} (does a worker run? see embedq stats)`,
        ],
        hasFailed: !result.done,
      };
    },
  },
  {
    ...named("pause", "stop all workers from claiming"),
    run: async (queue) => {
      await queue.pause();
      return { data: { paused: true }, lines: ["paused"] };
    },
  },
  {
    ...named("resume", "let workers claim again, also where an outage paused them"),
    run: async (queue) => {
      await queue.resume();
      return { data: { paused: false }, lines: ["resumed"] };
    },
  },
  {
    ...named("cancel", "take a key's outstanding work away", 1, 1, "KEY"),
    run: async (queue, [key = ""]) => {
      const result = await queue.cancel(key);
      return { data: { key, result }, lines: [result] };
    },
  },
  {
    ...named("dead ls", "list dead letters, oldest first"),
    run: async (queue) => {
      const letters = await queue.deadLetters();
      const lines = letters.map(({ id, key, attempts, reason }) =>
        [id, key ?? "-", `${attempts} attempts`, reason].join("  "),
      );
      return { data: letters, lines: lines.length > 0 ? lines : ["no dead letters"] };
    },
  },
  {
    ...named("dead retry", "enqueue a dead letter's text again", 1, 1, "ID"),
    run: async (queue, [id = ""]) => {
      const result = await queue.sendBack(id);
      return { data: result, lines: [result.status], hasFailed: result.status !== "queued" };
    },
  },
  {
    ...named("dead rm", "remove dead letters", 1, 1000, "ID…"),
    run: async (queue, ids) => {
      const removed = await queue.removeDeadLetters(ids);
      return { data: { removed }, lines: [`${removed} removed`] };
    },
  },
];

/** What the queue has cost so far, one sum a line. */
function usageLines(usage: UsageStats): string[] {
  const { calls, texts, tokens, tokensEstimated, batchFill, claims } = usage;
  const fill = batchFill === undefined ? "-" : `${Math.round(100 * batchFill)} %`;
  const reasons = Object.entries(claims).map(([reason, count]) => `${reason} ${count}`);
  const sums = {
    calls: `${calls}, filled ${fill}`,
    texts,
    tokens: tokensEstimated > 0 ? `${tokens}, of these ${tokensEstimated} estimated` : tokens,
    saved: `${usage.cacheHits} by the cache, ${usage.skipHits} unchanged`,
    failures: `${usage.failures}, deferred ${usage.deferrals}, given up ${usage.dead}`,
    claims: reasons.join(", "),
  };
  return Object.entries(sums).map(([name, value]) => `${name.padEnd(16)} ${value}`);
}

function named(
  name: string,
  summary: string,
  minArguments = 0,
  maxArguments = 0,
  words = "",
): Omit<Command, "run"> {
  return { name, summary, minArguments, maxArguments, usage: `${name} ${words}`.trim() };
}
