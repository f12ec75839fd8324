// The command line of the benchmark.

import { parseArgs } from "node:util";
import { CONTENDERS, type ContenderName, OWN } from "./contenders/index.ts";
import type { Runtime } from "./runner.ts";
import { scenarioNamed } from "./scenarios/index.ts";

export const USAGE = `npm run bench -- [options]

  --only <names>      these scenarios, separated by commas
  --against <names>   these queues beside embedq, separated by commas
  --runtime <names>   node, bun, deno; separated by commas. Default: all three; on Deno embedq alone
  --rounds <n>        default: 5
  --scale <factor>    of the texts of each measurement, such as 0.1
  --quick             one round of few texts, embedq and raw only: shows that it runs, no figures
  --json <file>       where the results go. Default: scripts/bench/results/latest.json
  --charts <folder>   draws charts, such as docs/charts
  --from <file>       reports on earlier results, measures nothing
  --profile <name>    profiles embedq in a scenario: V8's .cpuprofile and the commands of Redis
`;

export interface BenchOptions {
  readonly help: boolean;
  readonly scenarios: ReadonlySet<string> | undefined;
  readonly contenders: ReadonlySet<string> | undefined;
  readonly runtimes: readonly Runtime[];
  readonly rounds: number;
  readonly scale: number;
  /** The most texts of one measurement. */
  readonly most: number;
  readonly json: string | undefined;
  readonly charts: string | undefined;
  readonly from: string | undefined;
  readonly profile: string | undefined;
}

const RUNTIMES: readonly Runtime[] = ["node", "bun", "deno"];
const QUICK_ITEMS = 100;

/** @throws {Error} That says what is wrong. */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string" },
      against: { type: "string" },
      runtime: { type: "string" },
      rounds: { type: "string" },
      scale: { type: "string", default: "1" },
      quick: { type: "boolean", default: false },
      json: { type: "string" },
      charts: { type: "string" },
      from: { type: "string" },
      profile: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  const { only, against, quick, profile } = values;
  const scenarios = only?.split(",").map((name) => scenarioNamed(name).name);
  const runtimes = values.runtime?.split(",") ?? RUNTIMES;
  const contenders = against?.split(",").map(contenderNamed);
  return {
    help: values.help,
    scenarios: scenarios && new Set(scenarios),
    contenders: chosenContenders(contenders, quick),
    runtimes: runtimes.map(runtimeNamed),
    rounds: positive("--rounds", values.rounds ?? (quick ? "1" : "5")),
    scale: positive("--scale", values.scale),
    most: quick ? QUICK_ITEMS : Number.POSITIVE_INFINITY,
    json: values.json,
    charts: values.charts,
    from: values.from,
    profile: profile === undefined ? undefined : scenarioNamed(profile).name,
  };
}

function chosenContenders(
  named: readonly ContenderName[] | undefined,
  isQuick: boolean,
): ReadonlySet<string> | undefined {
  if (named !== undefined) return new Set(["embedq", "embedq-unchecked", ...named]);
  return isQuick ? OWN : undefined;
}

function contenderNamed(name: string): ContenderName {
  if (name in CONTENDERS) return name as ContenderName;
  throw new Error(`No queue ${name}. There are: ${Object.keys(CONTENDERS).join(", ")}`);
}

function runtimeNamed(name: string): Runtime {
  const found = RUNTIMES.find((runtime) => runtime === name);
  if (found !== undefined) return found;
  throw new Error(`No runtime ${name}. There are: ${RUNTIMES.join(", ")}`);
}

function positive(option: string, text: string): number {
  const value = Number(text);
  if (value > 0) return value;
  throw new Error(`${option} must be a number above 0, not ${text}`);
}
