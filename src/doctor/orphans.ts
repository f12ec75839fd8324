// Has data lost what it belongs to: by foreign hands, evictions, or a restart from an old copy.

import { findStrays, mendStrays } from "../flow/tidy.ts";
import { type Finding, ok, problem, warning } from "../model/diagnosis.ts";
import type { Strays } from "../redis/scripts/inspect.ts";
import type { Check } from "./checkup.ts";

const NAME = "orphans";

interface Kind {
  readonly of: keyof Strays;
  readonly level: typeof problem | typeof warning;
  /** What one of them is, and what many are. */
  readonly one: string;
  readonly many: string;
  readonly advice: string;
}

const KINDS: readonly Kind[] = [
  {
    of: "withoutEntry",
    level: problem,
    one: "outstanding text has lost its entry: no worker would be given it",
    many: "outstanding texts have lost their entries: no worker would be given them",
    advice: "Workers notice and give new entries; --fix does it now",
  },
  {
    of: "skipped",
    level: problem,
    one: "entry counts as handed out, and nobody holds it",
    many: "entries count as handed out, and nobody holds them",
    advice:
      "Workers hand them out again when nothing else waits; --fix puts them at the end of the stream",
  },
  {
    of: "damaged",
    level: problem,
    one: "outstanding text cannot be read",
    many: "outstanding texts cannot be read",
    advice: "--fix sets what is left of them aside as dead letters",
  },
  {
    of: "withoutText",
    level: warning,
    one: "entry stands for no outstanding text",
    many: "entries stand for no outstanding text",
    advice:
      "They cost nothing but the place; workers remove them when they meet them, --fix now. Their texts are lost: enqueue them again, or run backfill",
  },
  {
    of: "malformed",
    level: warning,
    one: "entry on the stream is not of embedq",
    many: "entries on the stream are not of embedq",
    advice:
      "--fix sets them aside as dead letters, as workers do. Find out who writes to the queue's keys",
  },
  {
    of: "removed",
    level: warning,
    one: "entry of the group is not on the stream any more",
    many: "entries of the group are not on the stream any more",
    advice: "Workers pass over them; --fix removes them",
  },
  {
    of: "retries",
    level: warning,
    one: "count of failures belongs to no outstanding text",
    many: "counts of failures belong to no outstanding text",
    advice: "A new text for such a key would begin with attempts spent; --fix removes them",
  },
];

export const ORPHANS_CHECK: Check = {
  name: NAME,
  look: async ({ link, signal }) => {
    const strays = await findStrays(link, signal);
    const findings = KINDS.filter(({ of }) => strays[of] > 0).map((kind) => tell(kind, strays));
    return findings.length > 0
      ? findings
      : [ok(NAME, "Every entry has its text, and every text its entry")];
  },
  fix: ({ link, signal }) => mendStrays(link, signal),
};

function tell({ of, level, one, many, advice }: Kind, strays: Strays): Finding {
  const number = strays[of];
  return level(NAME, `${number} ${number === 1 ? one : many}`, `${advice}.`, { isFixable: true });
}
