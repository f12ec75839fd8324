// Runs many random schedules of the production scripts and counts what they showed.
//
// A schedule draws producers, workers with two slots, waiters and others (producer.ts, worker.ts,
// waiter.ts, others.ts) and lets one of them after the other make one atomic call of Redis
// (actor.ts, cast.ts, schedule.ts). In between replies are lost, processes die, leases run out and
// foreign hands do damage. After each step and in the end it is judged by what was given to the
// queue when (ledger.ts, rules.ts, judge.ts).

import { Connection } from "../../src/redis/connection.ts";
import { queueKeys } from "../../src/redis/keys.ts";
import { createLink } from "../../src/redis/link.ts";
import type { Violation } from "./ledger.ts";
import type { Mutant } from "./mutants.ts";
import { type Patch, patchLink } from "./patch.ts";
import { Schedule } from "./schedule.ts";
import type { Mode } from "./world.ts";

/** Random crashes are the subject of the other modes: there, no text is suspected. */
const WITHOUT_CRASH_BOUND: readonly Patch[] = [
  { script: "claim", from: "or lost >= 4 then", to: "then" },
  { script: "claim", from: "elseif lost >= 2 and not", to: "elseif false and not" },
  { script: "claim", from: "isSolo = lost >= 2", to: "isSolo = false" },
  { script: "adopt", from: "or deliveries > 4", to: "" },
  { script: "adopt", from: "deliveries > 2 and 'solo' or", to: "" },
];

export interface SimulationOptions {
  /** A Redis of its own: every schedule begins with FLUSHDB. */
  readonly url: string;
  readonly seed: number;
  readonly mode: Mode;
  readonly schedules: number;
  /** Number of the first schedule. @default 0 */
  readonly first?: number | undefined;
  readonly mutant?: Mutant | undefined;
  /** Ends at the first schedule with a violation. @default false */
  readonly stopsEarly?: boolean | undefined;
}

export interface Simulation {
  /** Schedules that were run. */
  readonly schedules: number;
  /** Schedules with violations. */
  readonly violating: number;
  /** Schedules by kind of violation. */
  readonly kinds: ReadonlyMap<string, number>;
  /** How often what happened. */
  readonly figures: ReadonlyMap<string, number>;
  readonly firstViolation: FirstViolation | undefined;
}

export interface FirstViolation {
  /** Number of the schedule; with the seed it draws the same one again. */
  readonly schedule: number;
  readonly violations: readonly Violation[];
  readonly log: string;
}

export async function simulate(options: SimulationOptions): Promise<Simulation> {
  const { seed, mode, first = 0, mutant } = options;
  const connection = await Connection.open(options.url, {
    timeoutMs: 30_000,
    onLost: () => {},
    onRestored: () => {},
  });
  const patches = [...(mode === "killer" ? [] : WITHOUT_CRASH_BOUND), ...(mutant?.patches ?? [])];
  const link = patchLink(createLink(connection, queueKeys("simulated")), patches);
  const kinds = new Map<string, number>();
  const figures = new Map<string, number>();
  let firstViolation: FirstViolation | undefined;
  let schedules = 0;
  let violating = 0;
  try {
    while (schedules < options.schedules) {
      const number = first + schedules++;
      const schedule = new Schedule(link, {
        seed: seed * 1_000_003 + number,
        mode,
        misbehaviour: mutant?.misbehaviour,
        damage: mutant?.damage,
      });
      await schedule.run();
      const { violations } = schedule.ledger;
      for (const [what, times] of schedule.ledger.figures) {
        figures.set(what, (figures.get(what) ?? 0) + times);
      }
      if (violations.length === 0) continue;
      violating++;
      for (const kind of new Set(violations.map((violation) => violation.kind))) {
        kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
      }
      firstViolation ??= { schedule: number, violations, log: schedule.log.toString() };
      if (options.stopsEarly === true) break;
    }
  } finally {
    await connection.close();
  }
  return { schedules, violating, kinds, figures, firstViolation };
}
