// The live view as lines: right at any size, and nothing wider or higher than the screen.

import { expect, test } from "bun:test";
import pc from "picocolors";
import { History, sparkline } from "../../src/cli/watch/history.ts";
import { view, type WatchState } from "../../src/cli/watch/view.ts";
import { widthOf } from "../../src/cli/width.ts";
import type { DeadLetter, QueueStats, WorkerStats } from "../../src/index.ts";
import { queueUsageOf } from "../../src/model/usage.ts";

const PLAIN = pc.createColors(false);
const COLORED = pc.createColors(true);

function usage(texts: number, calls: number) {
  const fields = { texts, calls, tokens: texts * 20, fillPermille: calls * 900, size: calls };
  const entries = Object.entries(fields).map(([name, value]) => [name, String(value)] as const);
  return queueUsageOf(new Map(entries));
}

function worker(name: string, more: Partial<WorkerStats> = {}): WorkerStats {
  return { name, inFlight: 50, idleMs: 300, pause: undefined, usage: usage(4000, 80), ...more };
}

function stats(more: Partial<QueueStats> = {}): QueueStats {
  return {
    waiting: 12_345,
    inFlight: 200,
    parked: 3,
    pending: 12_548,
    oldestWaitingMs: 200_000,
    dead: 0,
    deadDropped: 0,
    isPaused: false,
    cooldownMs: 0,
    cooldownReason: undefined,
    workers: [worker("worker-1")],
    usage: usage(8000, 160),
    ...more,
  };
}

function letter(at: number): DeadLetter {
  return {
    id: `${at}-0`,
    key: `文書:${at}`,
    text: "hidden",
    version: 1,
    attempts: 1,
    reason: `テキスト ${at} は処理できません 🚫 ${"as the provider says ".repeat(9)}`,
    deadAt: at,
  } as DeadLetter;
}

function stateOf(of: QueueStats | undefined, more: Partial<WatchState> = {}): WatchState {
  return {
    queue: "articles",
    redis: "127.0.0.1:6379",
    model: "text-embedding-3-small, 1,536 dimensions",
    now: new Date(2026, 0, 2, 14, 3, 22),
    stats: of,
    history: new History(),
    letters: [],
    trouble: undefined,
    everyMs: 1000,
    ...more,
  };
}

const busy = stateOf(
  stats({
    dead: 40,
    workers: Array.from({ length: 30 }, (_, i) =>
      worker(`worker-${i}-${"名".repeat(10)}`, {
        pause: i === 3 ? { leftMs: 20_000, reason: `Incorrect ${"key ".repeat(50)}` } : undefined,
      }),
    ),
  }),
  { letters: Array.from({ length: 40 }, (_, i) => letter(1_795_000_000_000 + i)) },
);

test("no line is wider than the screen and there are not more than fit, at any size", () => {
  for (let columns = 24; columns <= 160; columns += 1) {
    for (const rows of [1, 3, 6, 10, 24, 40]) {
      for (const state of [busy, stateOf(undefined), stateOf(stats())]) {
        const lines = view(state, { columns, rows, style: PLAIN });
        expect(lines.length).toBeLessThanOrEqual(rows);
        for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(columns);
      }
    }
  }
});

test("colours change nothing of what is written", () => {
  const size = { columns: 100, rows: 30 };
  const colored = view(busy, { ...size, style: COLORED });
  expect(colored.join("")).toContain("\x1b[");
  expect(colored.map((line) => Bun.stripANSI(line))).toEqual(view(busy, { ...size, style: PLAIN }));
});

test("80 × 24 shows depth, rates, totals, workers and dead letters", () => {
  const history = new History();
  for (let second = 0; second <= 20; second++) {
    history.add(
      stats({ usage: usage(second * 800, second * 16), pending: 20_000 - second * 800 }),
      second * 1000,
    );
  }
  const now = stats({ usage: usage(16_000, 320), pending: 4000, dead: 2 });
  const letters = [letter(1_795_000_002_000), letter(1_795_000_001_000)];
  const lines = view(stateOf(now, { history, letters }), { columns: 80, rows: 24, style: PLAIN });
  expect(lines[0]).toMatch(
    /^embedq articles {2}text-embedding-3-small.* {2}127\.0\.0\.1:6379 {2}14:03:22$/,
  );
  expect(widthOf(lines[0] ?? "")).toBe(80);
  expect(lines[1]).toBe("● working");
  const text = lines.join("\n");
  expect(text).toMatch(/waiting +12,345 {2}oldest 3 min 20 s +texts +800\/s +█+/);
  expect(text).toMatch(/in flight +200 +calls +16\/s/);
  expect(text).toMatch(/parked +3 +tokens +16,000\/s/);
  expect(text).toMatch(/pending +4,000 {2}−800\/s, 5 s left +filled +90 %/);
  expect(text).toContain("total      16,000 texts in 320 calls");
  expect(text).toContain("worker-1");
  expect(text).toMatch(/文書:1795000002000 .*\n.*文書:1795000001000/);
  expect(text).not.toContain("hidden");
  expect(lines).toHaveLength(24);
  expect(lines.at(-1)).toBe("q quits · every 1 s");
});

test("where rows are few, depth stays, and each table keeps a part", () => {
  const low = view(busy, { columns: 80, rows: 12, style: PLAIN }).join("\n");
  expect(low).toContain("pending");
  expect(low).toMatch(/… \d+ more workers/);
  expect(low).toContain("dead letters 40");
  const lowest = view(busy, { columns: 80, rows: 6, style: PLAIN });
  expect(lowest).toHaveLength(6);
  expect(lowest.at(-1)).toContain("pending");
});

test.each([
  [{ isPaused: true }, "● paused  nothing is claimed until embedq resume"],
  [
    { cooldownMs: 18_000, cooldownReason: "HTTP 429: slow\ndown" },
    "● no calls for 18 s: HTTP 429: slow down",
  ],
  [{ workers: [] }, "● no worker: nothing is embedded"],
  [
    { workers: [worker("a", { pause: { leftMs: 4000, reason: "wrong key" } })] },
    "● every worker is paused by its own fault",
  ],
  [{ pending: 0 }, "● idle"],
])("the second line says how things are: %p", (more, line) => {
  expect(view(stateOf(stats(more)), { columns: 80, rows: 24, style: PLAIN })[1]).toBe(line);
});

test("a worker's own pause stands beside it with its reason", () => {
  const paused = worker("a", { pause: { leftMs: 4000, reason: "HTTP 401: wrong key" } });
  const lines = view(stateOf(stats({ workers: [paused, worker("b")] })), {
    columns: 120,
    rows: 24,
    style: PLAIN,
  });
  expect(lines.find((line) => line.startsWith("a "))).toEndWith(
    "paused for 4 s: HTTP 401: wrong key",
  );
});

test("a Redis that is away is said, and what was known last stays", () => {
  const trouble = { since: new Date(2026, 0, 2, 14, 3, 0), message: "Cannot connect" };
  const lines = view(stateOf(stats(), { trouble }), { columns: 80, rows: 24, style: PLAIN });
  expect(lines[1]).toBe("● Redis is away since 14:03:00: Cannot connect");
  expect(lines.join("\n")).toContain("12,345");
  const first = view(stateOf(undefined, { trouble }), { columns: 80, rows: 24, style: PLAIN });
  expect(first[1]).toContain("Redis is away");
});

test("history gives rates of the last ten seconds, and begins anew where counters do", () => {
  const history = new History();
  expect(history.rates().texts).toBeUndefined();
  history.add(stats({ usage: usage(0, 0) }), 0);
  history.add(stats({ usage: usage(6000, 60) }), 30_000);
  history.add(stats({ usage: usage(6100, 65), pending: 12_448 }), 40_000);
  const { texts, calls, pending, batchFill } = history.rates();
  expect({ texts, calls, pending }).toEqual({ texts: 10, calls: 0.5, pending: -10 });
  expect(batchFill).toBeCloseTo(0.9);
  const course = history.course("texts", 4).map((rate) => rate && Math.round(rate));
  expect(course).toEqual([undefined, undefined, 200, 73]);
  history.add(stats({ usage: usage(5, 1) }), 50_000);
  expect(history.rates().texts).toBeUndefined();
});

test("a sparkline is as high as its highest", () => {
  expect(sparkline([undefined, 0, 1, 4, 8])).toBe(" ▁▂▄█");
  expect(sparkline([0, 0])).toBe("▁▁");
  expect(sparkline([])).toBe("");
});
