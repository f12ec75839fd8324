// What is drawn before the first step of a schedule.

import type { Random } from "./random.ts";
import { KILLER, TEXTS } from "./texts.ts";
import type { Mode, Plan } from "./world.ts";

const KEYS = ["a", "b", "c"] as const;

export function drawPlan(random: Random, mode: Mode): Plan {
  const keyCount = random.between(1, KEYS.length);
  // Few texts meet themselves again, many meet each other.
  const texts: string[] = random.sample(TEXTS, random.between(2, TEXTS.length));
  if (mode === "killer") texts.push(KILLER);
  return {
    keys: KEYS.slice(0, keyCount) as [string, ...string[]],
    texts: texts as [string, ...string[]],
    onMissing: random.chance(0.1) ? "skip" : "create",
    onDead: random.chance(0.2) ? "unset" : "zero",
    skipsUnchanged: random.chance(0.9),
    startsWithModel: random.chance(0.9),
  };
}
