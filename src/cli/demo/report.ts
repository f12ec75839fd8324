// The end of the demo: the answers, the figures, and whether the queue is as empty as it should be.

import { counted } from "../format.ts";
import { BATCH } from "./embedder.ts";
import { type Page, wrap } from "./page.ts";
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
  readonly left: Leftovers;
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
  const pending = visit.queueKey("pending");
  const groups = (await visit.ask("XINFO", "GROUPS", pending)) as unknown[][];
  return {
    stream: Number(await visit.ask("XLEN", pending)),
    group: groups.reduce((sum, group) => sum + Number(group[group.indexOf("pending") + 1]), 0),
    dedup: Number(await visit.ask("HLEN", visit.queueKey("dedup"))),
    retries: Number(await visit.ask("HLEN", visit.queueKey("retries"))),
    "dead letters": Number(await visit.ask("XLEN", visit.queueKey("dead"))),
  };
}

export function printAnswers(page: Page, question: string, hits: readonly Hit[]): void {
  const { bold, cyan, dim, green } = page.style;
  page.line();
  page.line(bold(cyan(wrap(question, page.columns, 1).join(""))));
  for (const { score, stored } of hits) {
    const [first = "", ...rest] = wrap(stored.text, page.columns - INDENT, ANSWER_LINES);
    page.line(`  ${green(score.toFixed(2))}  ${first}`);
    const source = wrap(stored.source, page.columns - INDENT, 1).join("");
    for (const line of rest) page.line(" ".repeat(INDENT) + line);
    page.line(" ".repeat(INDENT) + dim(source));
  }
}

/** What came out, as data. */
export function figuresAsData(
  figures: Figures,
  answers: readonly { readonly question: string; readonly hits: readonly Hit[] }[],
): object {
  const { workers, left, ...rest } = figures;
  return {
    ...rest,
    workers: workers.map(({ texts, calls }) => ({ texts, calls })),
    left,
    answers: answers.map(({ question, hits }) => ({
      question,
      hits: hits.map(({ score, stored: { text, source } }) => ({ score, text, source })),
    })),
  };
}

/** Whether everything is as it must be. */
export function isRight({ texts, embedded, right, left }: Figures): boolean {
  return isEmpty(left) && embedded === texts && right === texts;
}

function isEmpty(left: Leftovers): boolean {
  return Object.values(left).every((count) => count === 0);
}

export function printReport(page: Page, figures: Figures): void {
  const { texts, embedded, right, elapsedMs, workers } = figures;
  const { bold, red } = page.style;
  const calls = workers.reduce((sum, worker) => sum + worker.calls, 0);
  const drained = workers.reduce((sum, worker) => sum + worker.texts, 0);
  const left = Object.entries(figures.left).map(([name, count]) => `${name} ${counted(count)}`);
  const mark = (isGood: boolean, text: string) => (isGood ? text : `${text} ${bold(red("WRONG"))}`);

  page.line();
  page.fact(
    "Texts",
    mark(embedded === texts, `${counted(embedded)} of ${counted(texts)} embedded`),
  );
  page.fact(
    "Vectors",
    mark(
      right === texts,
      `${counted(right)} read back are what the embedder gives, to the last bit`,
    ),
  );
  page.fact(
    "Provider calls",
    `${counted(calls)}, by worker ${workers.map((worker) => counted(worker.calls)).join(" and ")}`,
  );
  page.fact(
    "Batch fill",
    `${counted((100 * drained) / (calls * BATCH))} % (${(drained / calls).toFixed(1)} of ${BATCH} texts a call)`,
  );
  page.fact(
    "Elapsed",
    `${(elapsedMs / 1000).toFixed(2)} s from the first enqueue to the last vector`,
  );
  page.fact("Rate", `${counted((texts / elapsedMs) * 1000)} texts per second`);
  page.fact("Left in queue", mark(isEmpty(figures.left), left.join(", ")));
}
