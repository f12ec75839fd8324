// What the figures must be, and what they should be, as ratios within one run.

import type { ContenderName } from "./contenders/index.ts";
import type { Measurement, Runtime } from "./runner.ts";
import { median } from "./statistics.ts";

/** One figure of one queue in one case. */
interface Figure {
  readonly scenario: string;
  readonly form: string;
  readonly contender: ContenderName;
  readonly metric: string;
}

interface Target {
  readonly title: string;
  readonly figure: Figure;
  /** What it is divided by; without, the figure itself counts. With `times`, by so many times that. */
  readonly by?: Figure;
  readonly times?: number;
  /** The figure must exceed `by` by at most `wanted`, where this is said. */
  readonly isDifference?: boolean;
  readonly better: "higher" | "lower";
  readonly wanted: number | Readonly<Record<"node" | "bun", number>>;
  readonly aim?: number;
  readonly unit: string;
}

export interface Verdict {
  readonly title: string;
  readonly runtime: Runtime;
  readonly measured: number;
  readonly wanted: number;
  readonly aim: number | undefined;
  readonly better: "higher" | "lower";
  readonly unit: string;
  readonly isMet: boolean;
  readonly isAimMet: boolean;
}

const figure =
  (scenario: string, form: string, metric: string) =>
  (contender: ContenderName): Figure => ({ scenario, form, metric, contender });

const bulk = figure("enqueue-bulk", "bulk", "rate");
const drain = figure("drain", "768", "rate");
const endToEnd = figure("end-to-end", "4-calls", "rate");
const fill = figure("end-to-end", "4-calls", "fill");
const wait = figure("latency", "alone", "p50");
const higher = { better: "higher", unit: "×" } as const;
const lower = { better: "lower", unit: "×" } as const;

export const TARGETS: readonly Target[] = [
  {
    ...{ title: "enqueueMany, skipUnchanged off, of raw XADD", ...higher },
    ...{
      figure: bulk("embedq-unchecked"),
      by: bulk("raw"),
      wanted: { node: 0.8, bun: 0.65 },
      aim: 1,
    },
  },
  {
    ...{ title: "enqueueMany, skipUnchanged off, of BullMQ addBulk", ...higher },
    ...{ figure: bulk("embedq-unchecked"), by: bulk("bullmq"), wanted: 5 },
  },
  {
    ...{ title: "enqueueMany, skipUnchanged off, of the design it replaces", ...higher },
    ...{ figure: bulk("embedq-unchecked"), by: bulk("replaced"), wanted: 30 },
  },
  {
    ...{ title: "enqueueMany, default, of raw XADD", ...higher },
    ...{ figure: bulk("embedq"), by: bulk("raw"), wanted: 0.45, aim: 0.7 },
  },
  {
    ...{ title: "enqueueMany, default, of BullMQ addBulk", ...higher },
    ...{ figure: bulk("embedq"), by: bulk("bullmq"), wanted: 3 },
  },
  {
    ...{ title: "drain, provider at once, of raw", ...higher },
    ...{ figure: drain("embedq"), by: drain("raw"), wanted: 0.5, aim: 0.75 },
  },
  {
    ...{ title: "drain, provider at once, of the BullMQ worker", ...higher },
    ...{ figure: drain("embedq"), by: drain("bullmq"), wanted: 3 },
  },
  {
    ...{ title: "end to end, 40 ms provider, of the bare provider", ...higher },
    ...{ figure: endToEnd("embedq"), by: endToEnd("bare"), wanted: 0.97, aim: 0.99 },
  },
  {
    ...{ title: "end to end, 40 ms provider, how full calls are", better: "higher", unit: "" },
    ...{ figure: fill("embedq"), wanted: 0.99 },
  },
  {
    ...{ title: "end to end, 40 ms provider, of BullMQ + DataLoader", ...higher },
    ...{ figure: endToEnd("embedq"), by: endToEnd("bullmq-dataloader"), wanted: 2 },
  },
  {
    ...{ title: "wait latency p50, of BullMQ waitUntilFinished", ...lower },
    ...{ figure: wait("embedq"), by: wait("bullmq"), wanted: 0.6, aim: 0.3 },
  },
  {
    ...{ title: "100,000 waits, connections", better: "lower", unit: "" },
    ...{ figure: figure("waits", "many", "connections")("embedq"), wanted: 1 },
  },
  {
    ...{ title: "100,000 waits, resident memory each", better: "lower", unit: " KB" },
    ...{ figure: figure("waits", "many", "bytes")("embedq"), times: 1024, wanted: 1.5, aim: 0.5 },
  },
  {
    ...{ title: "Redis memory for each waiting text", better: "lower", unit: " bytes" },
    ...{ figure: figure("redis-memory", "waiting", "bytes")("embedq"), wanted: 350, aim: 330 },
  },
  {
    ...{ title: "drain at a backlog of 1,000,000, of the rate at 10,000", ...higher },
    figure: figure("backlog", "1m", "rate")("embedq"),
    ...{ by: figure("backlog", "10k", "rate")("embedq"), wanted: 0.9 },
  },
  {
    ...{ title: "worker memory at 1,000,000 above that at 10,000", better: "lower", unit: " MB" },
    figure: figure("backlog", "1m", "peak")("embedq"),
    ...{ by: figure("backlog", "10k", "peak")("embedq"), isDifference: true, wanted: 50 },
  },
  {
    ...{ title: "worker processes 1 → 4, of linear", ...higher },
    figure: figure("processes", "4", "rate")("embedq"),
    ...{ by: figure("processes", "1", "rate")("embedq"), times: 4, wanted: 0.95 },
  },
];

/** One verdict for each target and runtime that has all figures for it. Deno has no targets. */
export function judge(measurements: readonly Measurement[]): Verdict[] {
  return TARGETS.flatMap((target) =>
    (["node", "bun"] as const).flatMap((runtime) => {
      const measured = measuredOf(target, measurements, runtime);
      if (measured === undefined) return [];
      const { wanted: both, aim, better, title, unit } = target;
      const wanted = typeof both === "number" ? both : both[runtime];
      const reaches = (goal: number) => (better === "higher" ? measured >= goal : measured <= goal);
      const isMet = reaches(wanted);
      const isAimMet = reaches(aim ?? wanted);
      return [{ title, runtime, measured, wanted, aim, better, unit, isMet, isAimMet }];
    }),
  );
}

/** The median over the rounds of what one round says, as its figures met the same machine. */
function measuredOf(
  { figure: own, by, times = 1, isDifference = false }: Target,
  measurements: readonly Measurement[],
  runtime: Runtime,
): number | undefined {
  const mine = byRound(measurements, own, runtime);
  const others = by && byRound(measurements, by, runtime);
  const values = [...mine].flatMap(([round, value]) => {
    const other = others === undefined ? 1 : others.get(round);
    if (other === undefined) return [];
    return [isDifference ? value - other : value / (other * times)];
  });
  return values.length === 0 ? undefined : median(values);
}

function byRound(
  measurements: readonly Measurement[],
  { scenario, form, contender, metric }: Figure,
  runtime: Runtime,
): Map<number, number> {
  const found = new Map<number, number>();
  for (const one of measurements) {
    if (one.scenario !== scenario || one.form !== form || one.runtime !== runtime) continue;
    const value = one.contender === contender ? one.figures?.[metric] : undefined;
    if (value !== undefined) found.set(one.round, value);
  }
  return found;
}
