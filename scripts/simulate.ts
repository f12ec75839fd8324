// Runs the protocol simulator on a Redis of its own, see test/simulator/:
//
//   bun scripts/simulate.ts [--schedules 2000] [--seed N] [--mode plain|damage|killer]
//     [--mutant name] [--first I] [--verbose]
//
// Exit code 1 on violations; with a mutant, 1 if it was not caught.

import { parseArgs } from "node:util";
import { startRedis } from "../test/helpers/redis.ts";
import { MUTANTS, type Mutant } from "../test/simulator/mutants.ts";
import { type Simulation, simulate } from "../test/simulator/simulator.ts";
import type { Mode } from "../test/simulator/world.ts";

const MODES: readonly Mode[] = ["plain", "damage", "killer"];

const { values } = parseArgs({
  options: {
    schedules: { type: "string", default: "2000" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 1e6)) },
    mode: { type: "string" },
    mutant: { type: "string" },
    first: { type: "string", default: "0" },
    verbose: { type: "boolean", default: false },
  },
});
const mutant = values.mutant === undefined ? undefined : mutantNamed(values.mutant);
const mode = modeNamed(values.mode ?? mutant?.mode ?? "plain");
const seed = Number(values.seed);

console.log(`seed ${seed}, mode ${mode}${mutant === undefined ? "" : `, mutant ${mutant.name}`}`);
const startedAt = performance.now();
await using server = await startRedis();
const simulation = await simulate({
  url: server.url,
  seed,
  mode,
  mutant,
  schedules: Number(values.schedules),
  first: Number(values.first),
  // A mutant is caught once.
  stopsEarly: mutant !== undefined,
});
report(simulation, (performance.now() - startedAt) / 1000);
const isCaught = simulation.violating > 0;
process.exitCode = isCaught === (mutant !== undefined) ? 0 : 1;

function report({ schedules, violating, kinds, figures, firstViolation }: Simulation, s: number) {
  if (values.verbose && firstViolation !== undefined) console.log(firstViolation.log);
  if (firstViolation !== undefined) {
    console.log(`first violating schedule: ${firstViolation.schedule}`);
    for (const { kind, detail } of firstViolation.violations) console.log(`  ${kind}: ${detail}`);
  }
  if (mutant === undefined) console.log(`what happened: ${listOf(figures)}`);
  console.log(`violations by kind: ${listOf(kinds) || "none"}`);
  console.log(`${schedules} schedules, ${violating} with violations, ${s.toFixed(1)} s`);
}

function listOf(counts: ReadonlyMap<string, number>): string {
  return [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([what, times]) => `${what} ${times}`)
    .join(", ");
}

function mutantNamed(name: string): Mutant {
  const found = MUTANTS.find((each) => each.name === name);
  if (found !== undefined) return found;
  throw new Error(`No mutant ${name}. There are: ${MUTANTS.map((each) => each.name).join(", ")}`);
}

function modeNamed(name: string): Mode {
  const found = MODES.find((each) => each === name);
  if (found !== undefined) return found;
  throw new Error(`No mode ${name}. There are: ${MODES.join(", ")}`);
}
