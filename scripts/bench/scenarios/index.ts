// All scenarios, in the order in which they run.

import type { Scenario } from "../scenario.ts";
import { backlog } from "./backlog.ts";
import { drain } from "./drain.ts";
import { endToEnd } from "./end-to-end.ts";
import { enqueueBulk, enqueueSingle } from "./enqueue.ts";
import { latency } from "./latency.ts";
import { processes } from "./processes.ts";
import { redisMemory } from "./redis-memory.ts";
import { replyCpu } from "./reply-cpu.ts";
import { traffic } from "./traffic.ts";
import { waits } from "./waits.ts";

export const SCENARIOS: readonly Scenario[] = [
  enqueueBulk,
  enqueueSingle,
  drain,
  endToEnd,
  latency,
  waits,
  redisMemory,
  backlog,
  processes,
  replyCpu,
  traffic,
];

/** @throws {Error} Where there is none of that name. */
export function scenarioNamed(name: string): Scenario {
  const found = SCENARIOS.find((scenario) => scenario.name === name);
  if (found !== undefined) return found;
  throw new Error(
    `No scenario ${name}. There are: ${SCENARIOS.map((scenario) => scenario.name).join(", ")}`,
  );
}
