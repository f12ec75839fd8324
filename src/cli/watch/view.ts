// The picture of a queue: from what is known of it to the lines of a screen. Pure, so that it can be
// looked at in tests.

import type { DeadLetter, QueueStats, WorkerStats } from "../../index.ts";
import { counted, countedNoun, oneLine, percent, perSecond, span } from "../format.ts";
import type { Style } from "../output.ts";
import { type History, sparkline } from "./history.ts";
import { type Column, cells, row, type Span } from "./row.ts";

export interface WatchState {
  readonly queue: string;
  /** Where Redis is, without credentials. */
  readonly redis: string;
  /** Undefined where nobody has named one yet. */
  readonly model: string | undefined;
  readonly now: Date;
  /** Undefined until the first look. */
  readonly stats: QueueStats | undefined;
  readonly history: History;
  /** The newest first. */
  readonly letters: readonly DeadLetter[];
  /** Why what is shown is not of now, and since when. */
  readonly trouble: { readonly since: Date; readonly message: string } | undefined;
  readonly everyMs: number;
}

interface Frame {
  readonly columns: number;
  readonly style: Style;
}

/** Lines, not more than `rows`, none wider than `columns`. */
export function view(
  state: WatchState,
  { columns, rows, style }: Frame & { readonly rows: number },
): string[] {
  const frame = { columns, style };
  const head = [title(state, frame), stateLine(state, frame)];
  const { stats } = state;
  if (stats === undefined) return head.slice(0, rows);
  const depth = depthLines(state, stats, frame);
  const totals = totalLines(stats, frame);
  const foot = row(columns, [[`q quits · every ${span(state.everyMs)}`, style.dim]]);

  // What matters most is kept where the screen is low; blank lines go first.
  const lines = [...head];
  let left = rows - head.length - depth.length;
  const isAiry = left >= 14;
  if (isAiry) lines.push("");
  lines.push(...depth);
  if (isAiry) left--;
  const hasFoot = left > 6;
  if (hasFoot) left--;
  if (left >= totals.length + 4) {
    if (isAiry) lines.push("");
    lines.push(...totals);
    left -= totals.length + (isAiry ? 1 : 0);
  }
  const gap = isAiry ? 1 : 0;
  const wanted = { workers: stats.workers.length, letters: state.letters.length };
  const share = shareOut(left - 2 * gap, wanted);
  const blocks = [
    workerLines(stats, share.workers, frame),
    letterLines(state, stats, share.letters, frame),
  ];
  for (const block of blocks) {
    if (block.length === 0) continue;
    if (isAiry) lines.push("");
    lines.push(...block);
  }
  if (hasFoot) {
    while (lines.length < rows - 1) lines.push("");
    lines.push(foot);
  }
  return lines.slice(0, rows);
}

/** How many lines each table gets, its title included; letters get what workers leave, but at least a third. */
function shareOut(
  room: number,
  wanted: { readonly workers: number; readonly letters: number },
): { workers: number; letters: number } {
  if (room < 1) return { workers: 0, letters: 0 };
  const forLetters = wanted.letters === 0 ? 1 : wanted.letters + 1;
  const least = Math.min(forLetters, Math.max(0, Math.floor(room / 3)));
  const workers = Math.min(wanted.workers + 1, room - least);
  return { workers, letters: Math.min(forLetters, room - workers) };
}

function title({ queue, redis, model, now }: WatchState, { columns, style }: Frame): string {
  const time = now.toTimeString().slice(0, 8);
  const left: Span[] = [
    ["embedq ", style.dim],
    [oneLine(queue), style.bold],
  ];
  if (model !== undefined) left.push([`  ${oneLine(model)}`, style.dim]);
  return row(columns, left, [[`${redis}  ${time}`, style.dim]]);
}

/** In one line whether work goes on, and if not, why. */
function stateLine(state: WatchState, { columns, style }: Frame): string {
  const { trouble, stats } = state;
  if (trouble !== undefined) {
    const since = trouble.since.toTimeString().slice(0, 8);
    return row(columns, [
      ["● ", style.red],
      [`Redis is away since ${since}`, style.red],
      `: ${oneLine(trouble.message)}`,
    ]);
  }
  if (stats === undefined) return row(columns, [["● looking …", style.dim]]);
  if (stats.isPaused) {
    return row(columns, [["● paused", style.yellow], "  nothing is claimed until embedq resume"]);
  }
  if (stats.cooldownMs > 0) {
    const why = stats.cooldownReason === undefined ? "" : `: ${oneLine(stats.cooldownReason)}`;
    return row(columns, [
      ["● ", style.yellow],
      [`no calls for ${span(stats.cooldownMs)}`, style.yellow],
      why,
    ]);
  }
  const paused = stats.workers.filter(({ pause }) => pause !== undefined).length;
  if (stats.workers.length === 0) {
    const what = stats.pending > 0 ? "no worker: nothing is embedded" : "no worker";
    return row(columns, [
      ["● ", style.yellow],
      [what, style.yellow],
    ]);
  }
  if (paused === stats.workers.length) {
    return row(columns, [
      ["● ", style.yellow],
      ["every worker is paused by its own fault", style.yellow],
    ]);
  }
  return row(columns, [["● ", style.green], stats.pending > 0 ? "working" : "idle"]);
}

function depthLines(
  { history }: WatchState,
  stats: QueueStats,
  { columns, style }: Frame,
): string[] {
  const rates = history.rates();
  const change = rates.pending === undefined ? "" : changeOf(rates.pending, stats.pending);
  const oldest = stats.oldestWaitingMs === undefined ? "" : `oldest ${span(stats.oldestWaitingMs)}`;
  const rate = (value: number | undefined) => (value === undefined ? "–" : perSecond(value));
  const fill = rates.batchFill ?? stats.usage.batchFill;
  const layout = depthColumns(columns);
  const parts = layout[5]?.columns ?? 0;
  const course = (of: "texts" | "calls" | "tokens") =>
    parts === 0 ? "" : sparkline(history.course(of, parts));
  const lines: [string, number, string, string, string, string][] = [
    ["waiting", stats.waiting, oldest, "texts", rate(rates.texts), course("texts")],
    ["in flight", stats.inFlight, "", "calls", rate(rates.calls), course("calls")],
    ["parked", stats.parked, "", "tokens", rate(rates.tokens), course("tokens")],
    ["pending", stats.pending, change, "filled", fill === undefined ? "–" : percent(fill), ""],
  ];
  return lines.map(([name, number, ...rest]) =>
    cells(layout, [name, counted(number), ...rest], (text, at) => {
      if (at === 5) return style.cyan(text);
      if (at === 1 && name === "pending") return style.bold(text);
      return at === 1 || at === 4 ? text : style.dim(text);
    }),
  );
}

/** How much there is, and what becomes of it; how fast, and its course. Narrow screens do without the latter. */
function depthColumns(columns: number): Column[] {
  const left: Column[] = [
    { title: "", columns: 9 },
    { title: "", columns: 9, align: "right" },
  ];
  const usedByAll = 43;
  if (columns < 66) return [...left, { title: "", columns: Math.max(0, columns - 22) }];
  const note = Math.min(34, columns - usedByAll - 14);
  return [
    ...left,
    { title: "", columns: note },
    { title: "", columns: 6 },
    { title: "", columns: 9, align: "right" },
    { title: "", columns: Math.min(40, columns - usedByAll - note) },
  ];
}

function changeOf(perS: number, pending: number): string {
  if (Math.abs(perS) < 0.05) return pending === 0 ? "" : "steady";
  const sign = perS < 0 ? "−" : "+";
  const ends = perS < 0 && pending > 0 ? `, ${span((pending / -perS) * 1000)} left` : "";
  return `${sign}${perSecond(Math.abs(perS))}${ends}`;
}

function totalLines({ usage, dead, deadDropped }: QueueStats, { columns, style }: Frame): string[] {
  const claims = Object.entries(usage.claims).map(([why, count]) => `${why} ${counted(count)}`);
  const dropped = deadDropped > 0 ? `, ${counted(deadDropped)} dropped` : "";
  const lines: [string, string][] = [
    [
      "total",
      `${countedNoun(usage.texts, "text")} in ${countedNoun(usage.calls, "call")}, ${countedNoun(usage.tokens, "token")}; saved ${counted(usage.cacheHits)} by the cache, ${counted(usage.skipHits)} unchanged`,
    ],
    ["claims", claims.join(", ")],
    [
      "failed",
      `${countedNoun(usage.failures, "attempt")}, deferred ${counted(usage.deferrals)}, dead letters ${counted(dead)}${dropped}`,
    ],
  ];
  return lines.map(([name, text]) => row(columns, [[name.padEnd(11), style.dim], text]));
}

function workerLines(stats: QueueStats, room: number, { columns, style }: Frame): string[] {
  if (room < 1) return [];
  const layout = workerColumns(columns);
  const heading = style.dim(
    cells(
      layout,
      layout.map(({ title }) => title),
    ),
  );
  if (room === 1 || stats.workers.length === 0) {
    return [row(columns, [[`workers ${counted(stats.workers.length)}`, style.dim]])];
  }
  // Who holds work first, then who came last.
  const sorted = [...stats.workers].sort((a, b) => b.inFlight - a.inFlight || a.idleMs - b.idleMs);
  const hasAll = sorted.length <= room - 1;
  const shown = sorted.slice(0, hasAll ? room - 1 : room - 2);
  const lines = [heading, ...shown.map((worker) => workerLine(worker, layout, style))];
  if (!hasAll) {
    lines.push(
      row(columns, [[`… ${countedNoun(sorted.length - shown.length, "more worker")}`, style.dim]]),
    );
  }
  return lines;
}

function workerColumns(columns: number): Column[] {
  const numbers: Column[] = [
    { title: "in flight", columns: 9, align: "right" },
    { title: "texts", columns: 11, align: "right" },
    { title: "calls", columns: 9, align: "right" },
    { title: "filled", columns: 6, align: "right" },
  ];
  const name: Column = { title: "worker", columns: columns >= 100 ? 28 : 20 };
  const all = [name, ...numbers];
  // Narrow screens do without the last ones.
  while (all.length > 1 && widthOfAll(all) + 12 > columns) all.pop();
  return [...all, { title: "seen", columns: Math.max(0, columns - widthOfAll(all)) }];
}

function widthOfAll(layout: readonly Column[]): number {
  return layout.reduce((sum, { columns }) => sum + columns + 2, 0);
}

function workerLine(worker: WorkerStats, layout: readonly Column[], style: Style): string {
  const { name, inFlight, idleMs, usage, pause } = worker;
  const values: Record<string, string> = {
    worker: oneLine(name),
    "in flight": counted(inFlight),
    texts: counted(usage.texts),
    calls: counted(usage.calls),
    filled: usage.batchFill === undefined ? "–" : percent(usage.batchFill),
    seen:
      pause === undefined
        ? `${span(idleMs)} ago`
        : `paused for ${span(pause.leftMs)}: ${oneLine(pause.reason)}`,
  };
  const texts = layout.map(({ title: column }) => values[column] ?? "");
  return cells(layout, texts, (text, i) =>
    i === layout.length - 1 && pause !== undefined ? style.yellow(text) : text,
  );
}

function letterLines(
  { letters }: WatchState,
  { dead }: QueueStats,
  room: number,
  { columns, style }: Frame,
): string[] {
  if (room < 1) return [];
  const heading = row(columns, [
    [`dead letters ${counted(dead)}`, dead > 0 ? style.red : style.dim],
  ]);
  const keyWidth = Math.max(8, Math.min(28, Math.floor(columns / 4)));
  const layout = [
    { title: "at", columns: 8 },
    { title: "key", columns: keyWidth },
    { title: "reason", columns: Math.max(0, columns - keyWidth - 12) },
  ];
  const lines = letters
    .slice(0, room - 1)
    .map(({ deadAt, key, reason }) =>
      cells(
        layout,
        [new Date(deadAt).toTimeString().slice(0, 8), oneLine(key ?? "-"), oneLine(reason)],
        (text, i) => (i === 0 ? style.dim(text) : text),
      ),
    );
  return [heading, ...lines];
}
