// embedq doctor: is everything set up as a queue needs it, and what to do where it is not.

import { type Diagnosis, diagnose, type Finding, type FindingLevel } from "../../index.ts";
import { type AddCommand, defineCommand } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { countedNoun, oneLine } from "../format.ts";
import { toggle, word } from "../options/schemas.ts";
import { PROVIDER } from "../options/shared.ts";
import { option } from "../options/spec.ts";
import type { Output, Style } from "../output.ts";
import { embedderOf } from "../provider.ts";

/** Somebody sits before the screen. */
const COMMAND_TIMEOUT_MS = 3000;
const EMBED_TIMEOUT_MS = 30_000;

const MARKS: Readonly<Record<FindingLevel, string>> = {
  ok: "ok",
  note: "note",
  warning: "warning",
  problem: "PROBLEM",
};
const MARK_WIDTH = 9;
const CHECK_WIDTH = 15;

export const doctor: AddCommand = defineCommand({
  name: "doctor",
  summary: "look at Redis, rights, settings, data and the provider, and say what to do",
  description:
    "Works also where a queue would not start, and changes nothing without --fix. Ends with 0 where no problem is left, with 1 otherwise; warnings and notes do not count.",
  examples: [
    ["doctor", "look at Redis and the queue"],
    ["doctor --provider openai", "also make one call to the provider"],
    ["doctor --fix", "mend what is safe to mend: notification flags, the group, the queue's data"],
    ["doctor --json | jq '.findings[] | select(.level == \"problem\")'", "for scripts"],
  ],
  options: {
    fix: option("--fix", "mend what is safe to mend; never persistence, eviction, rights", toggle),
    destination: option("--destination <key>", "a destination, to try the rights on it", word),
    ...PROVIDER,
  },
  async run({ out, signal, redis, name }, options) {
    const { fix, destination, provider, model, dimensions, task } = options;
    const space =
      provider === undefined ? { model, dimensions, task } : await embedderOf(options, signal);
    const diagnosis = await diagnose({
      redis,
      name,
      destination,
      signal,
      fix: fix === true,
      commandTimeoutMs: COMMAND_TIMEOUT_MS,
      embedTimeoutMs: EMBED_TIMEOUT_MS,
      ...space,
    });
    if (out.isJson) out.json(diagnosis);
    else print(out, diagnosis);
    return diagnosis.isHealthy ? EXIT.done : EXIT.failed;
  },
});

function print(out: Output, { findings, isHealthy }: Diagnosis): void {
  const { style } = out;
  for (const finding of findings) {
    for (const line of linesOf(finding, style, out.columns)) out.line(line);
  }
  const number = (level: FindingLevel) =>
    findings.filter((finding) => finding.level === level && finding.fixed !== true).length;
  const counts = [
    countedNoun(number("problem"), "problem"),
    countedNoun(number("warning"), "warning"),
    countedNoun(number("note"), "note"),
  ].join(", ");
  out.line();
  out.line(`${isHealthy ? style.green("healthy") : style.red("not healthy")}: ${counts}`);
  if (findings.some(({ isFixable, fixed }) => isFixable === true && fixed === undefined)) {
    out.note("Some of it can be mended at once: embedq doctor --fix");
  }
}

function linesOf({ level, check, found, advice, fixed }: Finding, style: Style, columns: number) {
  const indent = " ".repeat(MARK_WIDTH + CHECK_WIDTH);
  const colour = { ok: style.green, note: style.cyan, warning: style.yellow, problem: style.red };
  const mark = colour[level](MARKS[level].padEnd(MARK_WIDTH));
  const width = Math.max(30, columns - indent.length);
  const adviceLines = (advice: string) =>
    wrap(oneLine(advice), width - 2).map(
      (piece, i) => `${indent}${style.dim(i === 0 ? "→" : " ")} ${piece}`,
    );
  const [first = "", ...rest] = wrap(oneLine(found), width);
  const lines = [`${mark}${check.padEnd(CHECK_WIDTH)}${first}`];
  for (const line of rest) lines.push(indent + line);
  if (fixed === true) lines.push(`${indent}${style.green("mended")}`);
  else if (advice !== undefined) lines.push(...adviceLines(advice));
  return lines;
}

/** Lines of whole words, none longer than the width unless a word is. What is in backticks is one, to be copied. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const [piece] of text.matchAll(/`[^`]*`\S*|\S+/g)) {
    if (line !== "" && line.length + 1 + piece.length > width) {
      lines.push(line);
      line = piece;
    } else {
      line = line === "" ? piece : `${line} ${piece}`;
    }
  }
  return [...lines, line];
}
