// The results as text: a table for each case, and the table of targets.

import type { ContenderName } from "./contenders/index.ts";
import { type Results, type Summary, summarize } from "./results.ts";
import type { Runtime } from "./runner.ts";
import type { Case, Metric, Scenario } from "./scenario.ts";
import { SCENARIOS } from "./scenarios/index.ts";
import { judge } from "./targets.ts";

const RUNTIMES: readonly Runtime[] = ["node", "bun", "deno"];

export function reportText(results: Results): string {
  const { machine, versions, commit, settings, rounds, scale, at } = results;
  const lines = [
    `${at}, commit ${commit}`,
    `${machine.processor}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.system}`,
    Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(", "),
    `${rounds} rounds${scale === 1 ? "" : `, texts × ${scale}`}; medians, ± half of what lies between the extremes`,
    ...Object.entries(settings).map(([name, words]) => `${name}: ${words}`),
    "",
  ];
  for (const scenario of SCENARIOS) {
    for (const form of scenario.cases) lines.push(...caseLines(results, scenario, form));
  }
  lines.push(...voidLines(results), ...(results.isQuick ? [] : targetLines(results)));
  return `${lines.join("\n")}\n`;
}

function caseLines(results: Results, scenario: Scenario, form: Case): string[] {
  const all = Object.keys(form.items) as ContenderName[];
  return Object.entries(scenario.metrics).flatMap(([key, metric]) => {
    const summaryOf = (name: ContenderName, runtime: Runtime) =>
      summarize(results.measurements, scenario.name, form.name, name, runtime, key);
    const runtimes = RUNTIMES.filter((runtime) =>
      all.some((name) => summaryOf(name, runtime) !== undefined),
    );
    if (runtimes.length === 0) return [];
    const names = all.filter((name) => runtimes.some((runtime) => summaryOf(name, runtime)));
    const rows = names.map((name) => [
      name,
      ...runtimes.flatMap((runtime) => {
        const summary = summaryOf(name, runtime);
        return [shown(summary, metric), ratio(summary, summaryOf("embedq", runtime))];
      }),
    ]);
    const head = ["", ...runtimes.flatMap((runtime) => [runtime, "÷ embedq"])];
    const title = `${scenario.title}, ${form.title}: ${metric.title}, ${metric.better} is better`;
    return [title, ...tableLines([head, ...rows]), ""];
  });
}

function shown(summary: Summary | undefined, { digits, unit }: Metric): string {
  if (summary === undefined) return "–";
  return `${amount(summary.median, digits)}${unit} ±${Math.round(summary.spread * 50)} %`;
}

function ratio(summary: Summary | undefined, ours: Summary | undefined): string {
  if (summary === undefined || ours === undefined) return "";
  return (summary.median / ours.median).toFixed(2);
}

function voidLines({ measurements }: Results): string[] {
  const voids = measurements.filter(({ error }) => error !== undefined);
  if (voids.length === 0) return [];
  const lines = voids.map(
    ({ scenario, form, contender, runtime, round, error }) =>
      `${scenario} ${form}, ${contender} on ${runtime}, round ${round + 1}: ${error}`,
  );
  return [`${voids.length} void rounds:`, ...lines, ""];
}

function targetLines({ measurements }: Results): string[] {
  const verdicts = judge(measurements);
  if (verdicts.length === 0) return [];
  const rows = verdicts.map((verdict) => {
    const goal = (value: number | undefined) =>
      value === undefined
        ? ""
        : `${verdict.better === "higher" ? "≥" : "≤"} ${value}${verdict.unit}`;
    return [
      verdict.isMet ? "✓" : "✗",
      verdict.title,
      verdict.runtime,
      `${Number(verdict.measured.toPrecision(3))}${verdict.unit}`,
      goal(verdict.wanted),
      goal(verdict.aim),
      verdict.aim === undefined ? "" : verdict.isAimMet ? "✓" : "✗",
    ];
  });
  return tableLines([["", "target", "runtime", "measured", "wanted", "aim", ""], ...rows]);
}

/** Columns of one width. */
function tableLines(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

export function amount(value: number, digits: number): string {
  return value.toLocaleString("en-US", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}
