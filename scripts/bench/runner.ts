// Runs the measurements: rounds outside, queues and runtimes inside, so that all of them meet the same
// machine; each in a process of its own, on an emptied Redis.

import { spawn } from "node:child_process";
import { join } from "node:path";
import type { RedisServer } from "../../test/helpers/redis.ts";
import type { Order } from "./child.ts";
import { type ContenderName, OWN } from "./contenders/index.ts";
import { DENO_FLAGS, NODE_FLAGS } from "./helper.ts";
import type { BenchOptions } from "./options.ts";
import { ROOT } from "./prepare.ts";
import type { Redis } from "./redis.ts";
import type { Case, Figures, Scenario } from "./scenario.ts";
import { SCENARIOS } from "./scenarios/index.ts";

export type Runtime = "node" | "bun" | "deno";

/** One thing measured, once. */
export interface Measurement {
  readonly scenario: string;
  readonly form: string;
  readonly contender: ContenderName;
  readonly runtime: Runtime;
  readonly round: number;
  readonly items: number;
  /** None where the run failed or a check did: a void round. */
  readonly figures?: Figures;
  readonly error?: string;
}

const TIMEOUT_MS = 6 * 60_000;
/** Quick runs are tests: one that hangs is over soon. */
const QUICK_TIMEOUT_MS = 30_000;

export const COMMANDS: Readonly<Record<Runtime, readonly string[]>> = {
  node: ["node", ...NODE_FLAGS],
  bun: [process.execPath],
  deno: [join(ROOT, "node_modules/.bin/deno"), ...DENO_FLAGS],
};

/** What is to be measured in one round of a case. */
export interface Entry {
  readonly contender: ContenderName;
  readonly runtime: Runtime;
  readonly items: number;
}

export async function runAll(
  options: BenchOptions,
  child: string,
  server: RedisServer,
  redis: Redis,
): Promise<Measurement[]> {
  const measurements: Measurement[] = [];
  const timeoutMs = Number.isFinite(options.most) ? QUICK_TIMEOUT_MS : TIMEOUT_MS;
  for (const scenario of SCENARIOS) {
    if (options.scenarios?.has(scenario.name) === false) continue;
    for (const form of scenario.cases) {
      const entries = entriesOf(form, options);
      for (let round = 0; round < options.rounds; round++) {
        // Another one begins each round, so that none always follows the same.
        const turned = entries.map((_, i) => entries[(i + round) % entries.length] as Entry);
        for (const entry of turned) {
          await redis.empty();
          const order = orderOf(scenario, form, entry, server.url);
          const done = await runChild(COMMANDS[entry.runtime], child, order, timeoutMs);
          const measurement = {
            scenario: scenario.name,
            form: form.name,
            round,
            ...entry,
            ...done,
          };
          measurements.push(measurement);
          report(measurement);
        }
      }
    }
  }
  return measurements;
}

export function entriesOf(form: Case, options: BenchOptions): Entry[] {
  const { runtimes, contenders, scale, most } = options;
  return Object.entries(form.items).flatMap(([name, full]) => {
    const contender = name as ContenderName;
    if (contenders?.has(contender) === false) return [];
    const batch = form.batchSize ?? 50;
    // Whole batches: what is left over would wait for its timer.
    const wanted = Math.min(full * scale, most);
    const items = Math.max(1, Math.round(wanted / batch)) * batch;
    return runtimes
      .filter((runtime) => runtime !== "deno" || (OWN.has(contender) && contender !== "replaced"))
      .map((runtime) => ({ contender, runtime, items }));
  });
}

export function orderOf(scenario: Scenario, form: Case, entry: Entry, url: string): Order {
  const batch = form.batchSize ?? 50;
  const warmCount = Math.ceil(Math.min(scenario.warmItems, entry.items) / batch) * batch;
  return {
    role: "measure",
    root: ROOT,
    url,
    scenario: scenario.name,
    form: form.name,
    contender: entry.contender,
    count: entry.items,
    warmCount,
  };
}

/** One measurement, in a process of its own. */
export function runChild(
  command: readonly string[],
  child: string,
  order: Order,
  timeoutMs: number = TIMEOUT_MS,
): Promise<{ figures: Figures } | { error: string }> {
  const [program = "", ...flags] = command;
  const running = spawn(program, [...flags, child, JSON.stringify(order)], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NODE_ENV: "production", DENO_NO_UPDATE_CHECK: "1" },
    timeout: timeoutMs,
    killSignal: "SIGKILL",
  });
  let [output, errors] = ["", ""];
  running.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  running.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  return new Promise((resolve) => {
    running.on("error", (error) => resolve({ error: error.message }));
    running.on("close", (code, signal) => {
      const line = output.split("\n").find((each) => each.startsWith('{"figures"'));
      if (code === 0 && line !== undefined) {
        resolve(JSON.parse(line) as { figures: Figures });
        return;
      }
      const reason = signal === null ? `ended with ${code}` : `was ended by ${signal}`;
      resolve({ error: `${reason}: ${errors.trim().slice(0, 2000)}` });
    });
  });
}

function report({ scenario, form, contender, runtime, round, ...rest }: Measurement): void {
  const found = rest.figures
    ? Object.entries(rest.figures)
        .map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`)
        .join(", ")
    : `VOID: ${rest.error}`;
  console.error(`${scenario} ${form}, round ${round + 1}: ${contender} on ${runtime}: ${found}`);
}
