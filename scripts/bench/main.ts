// Measures embedq beside other queues, in one run, and says which targets are met. See USAGE.
//
//   options ─▶ prepare ─▶ runner (one process a measurement) ─▶ results ─▶ report, charts

import { join } from "node:path";
import { drawCharts } from "./charts.ts";
import { CONTENDERS, type ContenderName, OWN } from "./contenders/index.ts";
import { describeCommit, describeMachine, describeRuntimes } from "./machine.ts";
import { type BenchOptions, readOptions, USAGE } from "./options.ts";
import { buildPackage, bundleChild, installPeers, peerVersions, ROOT } from "./prepare.ts";
import { profile } from "./profile.ts";
import { Redis } from "./redis.ts";
import { reportText } from "./report.ts";
import { type Results, readResults, writeResults } from "./results.ts";
import { runAll } from "./runner.ts";
import { startWarmRedis } from "./warm.ts";

const LATEST = join(import.meta.dirname, "results/latest.json");

process.exitCode = await main(process.argv.slice(2));

/** Exit codes: 0 measured, 1 a round is void, 2 called wrongly. */
async function main(args: readonly string[]): Promise<number> {
  let options: BenchOptions;
  try {
    options = readOptions(args);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    return 2;
  }
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  if (options.from !== undefined) return show(options, readResults(options.from));
  await buildPackage();
  if (needsPeers(options)) await installPeers();
  const child = await bundleChild();
  await using server = await startWarmRedis(memoryOf(options));
  const redis = await Redis.open(ROOT, server.url);
  try {
    if (options.profile !== undefined) {
      await profile(options.profile, options, child, server, redis);
      return 0;
    }
    const results: Results = {
      at: new Date().toISOString(),
      commit: describeCommit(ROOT),
      machine: describeMachine(),
      versions: { ...describeRuntimes(options.runtimes), ...peerVersions() },
      settings: settingsOf(options),
      rounds: options.rounds,
      scale: options.scale,
      isQuick: Number.isFinite(options.most),
      measurements: await runAll(options, child, server, redis),
    };
    writeResults(options.json ?? LATEST, results);
    return show(options, results);
  } finally {
    await redis.close();
  }
}

function show(options: BenchOptions, results: Results): number {
  console.log(reportText(results));
  if (options.charts !== undefined) {
    console.log(drawCharts(options.charts, results).join("\n"));
  }
  return results.measurements.some(({ error }) => error !== undefined) ? 1 : 0;
}

/** More than the largest case stores, all its copies counted; less where it is not asked for. */
function memoryOf({ scenarios, most }: BenchOptions): number {
  if (Number.isFinite(most)) return 2 ** 20;
  return scenarios?.has("backlog") === false ? 2 ** 30 : 6 * 2 ** 30;
}

function needsPeers({ contenders }: BenchOptions): boolean {
  const names = Object.keys(CONTENDERS) as ContenderName[];
  return names.some((name) => !OWN.has(name) && contenders?.has(name) !== false);
}

function settingsOf({ contenders }: BenchOptions): Record<string, string> {
  return Object.fromEntries(
    Object.entries(CONTENDERS).flatMap(([name, { settings }]) =>
      contenders?.has(name) === false ? [] : [[name, settings]],
    ),
  );
}
