// Does the queue agree with the embedder, or the model, that this process would come with.

import { type Finding, note, ok, problem, warning } from "../model/diagnosis.ts";
import { DEFAULT_SETTINGS, PROTOCOL } from "../model/settings.ts";
import type { Link } from "../redis/link.ts";
import { asList, asText } from "../redis/replies.ts";
import type { Check, Checkup } from "./checkup.ts";

const NAME = "settings";
const SPACE = ["model", "dimensions", "task"] as const;
const NUMBERS = [
  "maxBatchSize",
  "flushIntervalMs",
  "leaseMs",
  "maxAttempts",
  "maxDeadLetters",
] as const;

type Stored = ReadonlyMap<string, string>;

export const SETTINGS_CHECK: Check = {
  name: NAME,
  look: async (at) => {
    const stored = await readSettings(at.link);
    if (stored.size === 0) {
      const found = `The queue ${JSON.stringify(at.link.keys.name)} has no settings yet`;
      return [note(NAME, found, "They are stored when the first worker starts.")];
    }
    const protocol = stored.get("protocol");
    if (protocol !== undefined && protocol !== String(PROTOCOL)) {
      const found = `The queue's protocol is ${protocol}, this embedq speaks ${PROTOCOL}`;
      return [problem(NAME, found, "Update embedq in this process.")];
    }
    const findings = [...judgeSpace(at, stored), ...judgeNumbers(stored)];
    if (findings.length > 0) return findings;
    const model = stored.get("model");
    const space = model === undefined ? "no model yet" : `the model ${describe(stored)}`;
    return [ok(NAME, `The queue has ${space}, and speaks protocol ${PROTOCOL}`)];
  },
};

async function readSettings(link: Link): Promise<Stored> {
  const names = ["protocol", ...SPACE, ...NUMBERS];
  const reply = asList(await link.send(["HMGET", link.keys.settings, ...names]));
  const stored = new Map<string, string>();
  for (const [i, name] of names.entries()) {
    const value = reply[i];
    if (value !== null && value !== undefined) stored.set(name, asText(value));
  }
  return stored;
}

function judgeSpace({ link, options: { asked, embedder } }: Checkup, stored: Stored): Finding[] {
  const differences = SPACE.filter((name) => {
    const [wanted, found] = [asked[name], stored.get(name)];
    return wanted !== undefined && found !== undefined && String(wanted) !== found;
  });
  if (differences.length === 0) return [];
  const who = embedder === undefined ? "this process asks for" : "the embedder is";
  const wanted = SPACE.map((name) => [name, asked[name]] as const).filter(
    ([name, value]) => value !== undefined && value !== (stored.get(name) ?? ""),
  );
  const as = (name: (typeof SPACE)[number]) =>
    `\`${name}\` is ${stored.get(name) || "empty"}, ${who} ${asked[name] || "empty"}`;
  const found = `The queue is of another model: ${differences.map(as).join("; ")}. No process with this embedder would start`;
  const changes = wanted.map(([name, value]) => `--${name} ${JSON.stringify(value)}`).join(" ");
  const advice = `Use the model of the queue; or another queue, with --name; or move the queue to the new one: \`embedq config set ${changes} --name ${JSON.stringify(link.keys.name)}\`, in code configure(), and then reembed the vectors that are stored.`;
  return [problem(NAME, found, advice)];
}

/** A number that is none counts as the default, and nobody would notice. */
function judgeNumbers(stored: Stored): Finding[] {
  const odd = NUMBERS.filter((name) => {
    const value = stored.get(name);
    return value !== undefined && !/^\d+$/.test(value);
  });
  return odd.map((name) =>
    warning(
      NAME,
      `\`${name}\` is no number: its default is used, ${DEFAULT_SETTINGS[name]}`,
      "Store one with `embedq config set`, in code configure().",
    ),
  );
}

function describe(stored: Stored): string {
  const task = stored.get("task");
  const size = `${stored.get("model")} with ${stored.get("dimensions") ?? "unknown"} dimensions`;
  return task ? `${size} for ${task}` : size;
}
