// Every call of embedq that a page shows, run or not, names a command and options that exist; and so
// do the examples in the help.

import { expect, test } from "bun:test";
import type { Command } from "commander";
import { createProgram } from "../../src/cli/program.ts";
import { allExamples } from "./examples.ts";

const program = createProgram();

test("calls of embedq in shell blocks, and in the examples of the help, can be made", async () => {
  const faults: string[] = [];
  let calls = 0;
  for (const { from, language, code } of await allExamples()) {
    const isHelp = language === "text" && from.startsWith("docs/guides/cli.md");
    if (language !== "sh" && !isHelp) continue;
    for (const words of callsIn(code)) {
      calls++;
      const fault = faultOf(words);
      if (fault !== undefined) faults.push(`${from}: embedq ${words.join(" ")}: ${fault}`);
    }
  }
  expect(faults).toEqual([]);
  expect(calls).toBeGreaterThan(40);
});

/** What stands behind `embedq`, up to the end of the simple command. */
function callsIn(code: string): string[][] {
  const lines = code
    .replaceAll(/\\\n/g, " ")
    .replaceAll(/^\s*#.*$/gm, "")
    .split("\n");
  return lines.flatMap((line) => {
    const calls: string[][] = [];
    const words = [...line.matchAll(/'[^']*'|"[^"]*"|[|;&()<>]+|[^\s|;&()<>]+/g)].map(
      ([word]) => word,
    );
    words.forEach((word, i) => {
      const before = words[i - 1] ?? ";";
      const begins = /^([|;&(]+|.*\$|if|while|until|then|do|!|\w+=.*|npx|bunx|exec)$/.test(before);
      if (word !== "embedq" || !begins) return;
      const rest = words.slice(i + 1);
      const end = rest.findIndex((next) => /^[|;&()<>]+$/.test(next));
      calls.push(end < 0 ? rest : rest.slice(0, end));
    });
    return calls;
  });
}

function faultOf(words: readonly string[]): string | undefined {
  let command: Command = program;
  for (const word of words) {
    if (word.startsWith("-")) break;
    const next = command.commands.find((child) => child.name() === word);
    if (next === undefined) break;
    command = next;
  }
  if (command === program && !words.some((word) => ["--help", "--version"].includes(word))) {
    return "no such command";
  }
  for (const word of words.filter((one) => one.startsWith("--"))) {
    const [flag = ""] = word.split("=");
    if (flag === "--help") continue;
    if (!hasOption(command, flag)) return `no option ${flag}`;
  }
  return undefined;
}

/** Of the command, or of the one that its group does by itself. */
function hasOption(command: Command, flag: string): boolean {
  const usual = (command as unknown as { _defaultCommandName?: string })._defaultCommandName;
  const own = command.options.some(({ long }) => long === flag);
  const child = command.commands.find((one) => one.name() === usual);
  return own || (child !== undefined && hasOption(child, flag));
}
