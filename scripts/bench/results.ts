// The results of a run: what is written to JSON, and how rounds become one figure.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { ContenderName } from "./contenders/index.ts";
import type { Machine } from "./machine.ts";
import type { Measurement, Runtime } from "./runner.ts";
import { median, spread } from "./statistics.ts";

export interface Results {
  readonly at: string;
  readonly commit: string;
  readonly machine: Machine;
  /** Versions of all that ran. */
  readonly versions: Readonly<Record<string, string>>;
  readonly settings: Readonly<Record<string, string>>;
  readonly rounds: number;
  readonly scale: number;
  /** Few texts, to see that everything runs: the figures mean nothing. */
  readonly isQuick: boolean;
  readonly measurements: readonly Measurement[];
}

/** One figure over all rounds. */
export interface Summary {
  readonly median: number;
  /** Of the extremes, as a share of the median. */
  readonly spread: number;
  readonly rounds: number;
  readonly items: number;
}

export function summarize(
  measurements: readonly Measurement[],
  scenario: string,
  form: string,
  contender: ContenderName,
  runtime: Runtime,
  metric: string,
): Summary | undefined {
  const own = measurements.filter(
    (one) =>
      one.scenario === scenario &&
      one.form === form &&
      one.contender === contender &&
      one.runtime === runtime,
  );
  const values = own.flatMap(({ figures }) => {
    const value = figures?.[metric];
    return value === undefined ? [] : [value];
  });
  if (values.length === 0) return undefined;
  return {
    median: median(values),
    spread: spread(values),
    rounds: values.length,
    items: own[0]?.items ?? 0,
  };
}

export function writeResults(path: string, results: Results): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(results, null, 1)}\n`);
}

export function readResults(path: string): Results {
  return JSON.parse(readFileSync(path, "utf8")) as Results;
}
