// The end of the demo: the answers, the figures, and whether the queue is as empty as it should be.

import { queueKeys } from "../../src/redis/keys.ts";
import { BATCH } from "./embedder.ts";
import { counted, type Screen, wrap } from "./screen.ts";
import type { Hit } from "./search.ts";
import type { Visit } from "./visit.ts";

const INDENT = 8;
const ANSWER_LINES = 2;

export interface Figures {
  readonly texts: number;
  /** Texts whose ticket ended as embedded. */
  readonly embedded: number;
  /** Vectors that are what the embedder gives. */
  readonly right: number;
  readonly elapsedMs: number;
  /** Texts and provider calls of each worker process, by its own count. */
  readonly workers: readonly { readonly texts: number; readonly calls: number }[];
}

/** What the queue's own keys hold, asked by plain commands of Redis. */
export interface Leftovers {
  readonly stream: number;
  readonly group: number;
  readonly dedup: number;
  readonly retries: number;
  readonly "dead letters": number;
}

export async function readLeftovers(visit: Visit): Promise<Leftovers> {
  const { pending, dedup, retries, dead } = queueKeys(visit.name);
  const groups = (await visit.ask("XINFO", "GROUPS", pending)) as unknown[][];
  return {
    stream: Number(await visit.ask("XLEN", pending)),
    group: groups.reduce((sum, group) => sum + Number(group[group.indexOf("pending") + 1]), 0),
    dedup: Number(await visit.ask("HLEN", dedup)),
    retries: Number(await visit.ask("HLEN", retries)),
    "dead letters": Number(await visit.ask("XLEN", dead)),
  };
}

export function printAnswers(screen: Screen, question: string, hits: readonly Hit[]): void {
  screen.line();
  screen.line(screen.style(["bold", "cyan"], wrap(question, screen.columns, 1).join("")));
  for (const { score, stored } of hits) {
    const [first = "", ...rest] = wrap(stored.text, screen.columns - INDENT, ANSWER_LINES);
    screen.line(`  ${screen.style("green", score.toFixed(2))}  ${first}`);
    const source = wrap(stored.source, screen.columns - INDENT, 1).join("");
    for (const line of rest) screen.line(" ".repeat(INDENT) + line);
    screen.line(" ".repeat(INDENT) + screen.style("dim", source));
  }
}

/** @returns Whether everything is as it must be. */
export function printReport(screen: Screen, figures: Figures, leftovers: Leftovers): boolean {
  const { texts, embedded, right, elapsedMs, workers } = figures;
  const calls = workers.reduce((sum, worker) => sum + worker.calls, 0);
  const drained = workers.reduce((sum, worker) => sum + worker.texts, 0);
  const isEmpty = Object.values(leftovers).every((count) => count === 0);
  const left = Object.entries(leftovers).map(([name, count]) => `${name} ${counted(count)}`);
  const mark = (isGood: boolean, text: string) =>
    isGood ? text : `${text} ${screen.style(["bold", "red"], "WRONG")}`;

  screen.line();
  screen.fact(
    "Texts",
    mark(embedded === texts, `${counted(embedded)} of ${counted(texts)} embedded`),
  );
  screen.fact(
    "Vectors",
    mark(
      right === texts,
      `${counted(right)} read back are what the embedder gives, to the last bit`,
    ),
  );
  screen.fact(
    "Provider calls",
    `${counted(calls)}, by worker ${workers.map((worker) => counted(worker.calls)).join(" and ")}`,
  );
  screen.fact(
    "Batch fill",
    `${counted((100 * drained) / (calls * BATCH))} % (${(drained / calls).toFixed(1)} of ${BATCH} texts a call)`,
  );
  screen.fact(
    "Elapsed",
    `${(elapsedMs / 1000).toFixed(2)} s from the first enqueue to the last vector`,
  );
  screen.fact("Rate", `${counted((texts / elapsedMs) * 1000)} texts per second`);
  screen.fact("Left in queue", mark(isEmpty, left.join(", ")));
  return isEmpty && embedded === texts && right === texts;
}
