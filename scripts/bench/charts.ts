// Charts of the results, as SVG: bars for each queue, one group a runtime. Colours that show on light
// and on dark pages alike.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ContenderName } from "./contenders/index.ts";
import { amount } from "./report.ts";
import { type Results, type Summary, summarize } from "./results.ts";
import type { Runtime } from "./runner.ts";
import type { Case, Metric, Scenario } from "./scenario.ts";
import { SCENARIOS } from "./scenarios/index.ts";

const WIDTH = 760;
const LABELS = 190;
const VALUES = 120;
const BAR = 18;
const GAP = 6;
const GROUP_GAP = 26;
const COLOURS = { ours: "#2f81f7", bound: "#8b949e", other: "#d29922" } as const;

const TITLES: Readonly<Record<ContenderName, string>> = {
  embedq: "embedq",
  "embedq-unchecked": "embedq, skipUnchanged off",
  raw: "raw commands",
  bare: "the provider alone",
  bullmq: "BullMQ",
  "bullmq-dataloader": "BullMQ + DataLoader",
  "bee-queue": "bee-queue",
  groupmq: "groupmq",
  replaced: "the design it replaces",
};

interface Bar {
  readonly contender: ContenderName;
  readonly summary: Summary;
}

/** Draws a chart for each case and figure that was measured; the names of the files. */
export function drawCharts(folder: string, results: Results): string[] {
  mkdirSync(folder, { recursive: true });
  return SCENARIOS.flatMap((scenario) =>
    scenario.cases.flatMap((form) =>
      Object.entries(scenario.metrics).flatMap(([key, metric]) => {
        const svg = chartOf(results, scenario, form, key, metric);
        if (svg === undefined) return [];
        const name = `${scenario.name}-${form.name}-${key}.svg`;
        writeFileSync(join(folder, name), svg);
        return [name];
      }),
    ),
  );
}

function chartOf(
  { measurements, commit }: Results,
  scenario: Scenario,
  form: Case,
  key: string,
  metric: Metric,
): string | undefined {
  const groups = (["node", "bun", "deno"] as const).flatMap((runtime: Runtime) => {
    const bars = (Object.keys(form.items) as ContenderName[]).flatMap((contender): Bar[] => {
      const summary = summarize(measurements, scenario.name, form.name, contender, runtime, key);
      return summary === undefined ? [] : [{ contender, summary }];
    });
    return bars.length === 0 ? [] : [{ runtime, bars }];
  });
  if (groups.length === 0) return undefined;
  const largest = Math.max(
    ...groups.flatMap(({ bars }) => bars.map(({ summary }) => summary.median)),
  );
  let y = 58;
  const parts: string[] = [];
  for (const { runtime, bars } of groups) {
    parts.push(text(0, y + 12, runtime, "font-weight='600'"));
    y += GROUP_GAP;
    for (const bar of bars) {
      parts.push(...barParts(bar, y, largest, metric));
      y += BAR + GAP;
    }
    y += GAP;
  }
  const subtitle = `${form.title}: ${metric.title}; ${metric.better} is better`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y + 20}" role="img" font-family="system-ui, sans-serif" font-size="13" fill="#768390">`,
    `<title>${escaped(`${scenario.title}, ${subtitle}`)}</title>`,
    text(0, 18, scenario.title, "font-size='16' font-weight='600'"),
    text(0, 38, subtitle),
    ...parts,
    text(
      0,
      y + 12,
      `Lines show the extremes of all rounds. Commit ${commit.slice(0, 8)}.`,
      "font-size='11'",
    ),
    "</svg>",
    "",
  ].join("\n");
}

function barParts(
  { contender, summary }: Bar,
  y: number,
  largest: number,
  metric: Metric,
): string[] {
  const scale = (WIDTH - LABELS - VALUES) / (largest || 1);
  const length = Math.max(1, summary.median * scale);
  const half = (summary.spread * summary.median * scale) / 2;
  const middle = y + BAR / 2;
  const end = LABELS + length;
  return [
    text(LABELS - 8, middle + 4, TITLES[contender], "text-anchor='end'"),
    `<rect x="${LABELS}" y="${y}" width="${length.toFixed(1)}" height="${BAR}" rx="2" fill="${colourOf(contender)}"/>`,
    `<path d="M${(end - half).toFixed(1)} ${middle}H${(end + half).toFixed(1)}" stroke="#768390" stroke-width="2"/>`,
    text(end + half + 6, middle + 4, `${amount(summary.median, metric.digits)}${metric.unit}`),
  ];
}

function colourOf(contender: ContenderName): string {
  if (contender.startsWith("embedq")) return COLOURS.ours;
  return contender === "raw" || contender === "bare" ? COLOURS.bound : COLOURS.other;
}

function text(x: number, y: number, words: string, more = ""): string {
  return `<text x="${x.toFixed(1)}" y="${y}" ${more}>${escaped(words)}</text>`;
}

function escaped(words: string): string {
  return words.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
