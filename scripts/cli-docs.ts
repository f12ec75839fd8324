// The reference of the command line in docs/guides/cli.md, made from the program itself, so that the
// two cannot differ. `bun scripts/cli-docs.ts` writes it, `--check` only compares.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Command, Option } from "commander";
import { EXIT, SIGNAL_EXIT } from "../src/cli/exit-codes.ts";
import { SHARED } from "../src/cli/options/shared.ts";
import { environmentNames } from "../src/cli/options/spec.ts";
import { createProgram } from "../src/cli/program.ts";

const PAGE = join(import.meta.dirname, "..", "docs/guides/cli.md");
const MAKER = "made by scripts/cli-docs.ts";

const program = createProgram();
/** Every command has these; they stand in a table of their own. */
const common = new Set(program.options.map(({ long }) => long));
const page = readFileSync(PAGE, "utf8");
const wanted = [
  ["commands", overview()],
  ["common options", optionsTable(program.options)],
  ["shared options", sharedTable()],
  ["reference", commandsOf(program).map(section).join("\n\n")],
].reduce((text, [name = "", content = ""]) => replaced(text, name, content), page);
checkExitCodes(wanted);

if (!process.argv.includes("--check")) {
  writeFileSync(PAGE, wanted);
} else if (page !== wanted) {
  console.error("docs/guides/cli.md differs from the program: bun scripts/cli-docs.ts");
  process.exit(1);
}
console.log(`${commandsOf(program).length} commands`);

/** Commands that do something by themselves, those of groups in their place. */
function commandsOf(command: Command): Command[] {
  return command.commands
    .filter((child) => child.name() !== "help" && !isHidden(child))
    .flatMap((child) => (child.commands.length > 0 ? commandsOf(child) : [child]));
}

function isHidden(command: Command): boolean {
  return (command as unknown as { _hidden?: boolean })._hidden === true;
}

/** The commands by the titles that help shows them under. */
function overview(): string {
  const rows = program.commands
    .filter((command) => command.name() !== "help" && !isHidden(command))
    .map((command) => {
      const children = commandsOf(command);
      const links = (children.length > 0 ? children : [command]).map(
        (one) => `[\`${fullName(one)}\`](#${anchorOf(one)})`,
      );
      return `| ${inCell(command.helpGroup().replace(/:$/, ""))} | ${links.join(", ")} | ${inCell(command.summary() || command.description())} |`;
    });
  return ["| | command | does |", "| --- | --- | --- |", ...rows].join("\n");
}

function section(command: Command): string {
  const words = [`embedq ${fullName(command)}`, ...command.registeredArguments.map(argumentName)];
  const own = command.options.filter(({ long }) => !common.has(long));
  const examples = examplesOf(command);
  return [
    `### embedq ${fullName(command)}`,
    `\`${words.join(" ")}${own.length > 0 ? " [options]" : ""}\``,
    sentences(command.description()),
    ...(own.length > 0 ? [optionsTable(own)] : []),
    ...(examples === "" ? [] : [`\`\`\`text\n${examples}\n\`\`\``]),
  ].join("\n\n");
}

function fullName(command: Command): string {
  const { parent } = command;
  return parent === null || parent === program
    ? command.name()
    : `${fullName(parent)} ${command.name()}`;
}

function anchorOf(command: Command): string {
  return `embedq-${fullName(command).replaceAll(" ", "-")}`;
}

function argumentName(argument: { name(): string; required: boolean; variadic: boolean }): string {
  const name = `${argument.name()}${argument.variadic ? "..." : ""}`;
  return argument.required ? `<${name}>` : `[${name}]`;
}

/** The summary is the begin of a sentence, the rest are sentences. */
function sentences(description: string): string {
  const [summary = "", ...rest] = description.split("\n\n");
  const first = `${summary.charAt(0).toUpperCase()}${summary.slice(1)}`;
  return [/[.!?]$/.test(first) ? first : `${first}.`, ...rest].join("\n\n");
}

function optionsTable(options: readonly Option[]): string {
  const rows = options.map(({ flags, description }) => `| \`${flags}\` | ${inCell(description)} |`);
  return ["| option | |", "| --- | --- |", ...rows].join("\n");
}

function sharedTable(): string {
  const rows = Object.entries(SHARED).map(([name, { flags }]) => {
    const variables = environmentNames(name).map((variable) => `\`${variable}\``);
    return `| \`${flags.split(" ")[0]}\` | ${variables.join(", ")} | \`"${name}"\` |`;
  });
  return ["| flag | environment | config file |", "| --- | --- | --- |", ...rows].join("\n");
}

/** What help shows after the options: the calls to copy. */
function examplesOf(command: Command): string {
  let text = "";
  command.configureOutput({ writeOut: (chunk) => (text += chunk), getOutHelpWidth: () => 200 });
  command.outputHelp();
  const [, examples = ""] = /\nExamples:\n([\s\S]*)$/.exec(text) ?? [];
  return examples.replaceAll(/^ {2}/gm, "").trimEnd();
}

function replaced(text: string, name: string, content: string): string {
  const [begin, end] = [`<!-- ${name}: ${MAKER} -->`, `<!-- ${name} end -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${PAGE} must hold ${begin} and ${end}`);
  return `${text.slice(0, from)}${begin}\n${content}\n${text.slice(to)}`;
}

/** What each code means is prose; that none is missing is checked. */
function checkExitCodes(text: string): void {
  for (const code of [...Object.values(EXIT), ...Object.values(SIGNAL_EXIT)]) {
    if (!new RegExp(`^\\| ${code} \\|`, "m").test(text)) {
      throw new Error(`docs/guides/cli.md does not say what exit code ${code} means`);
    }
  }
}

function inCell(text: string): string {
  return text
    .replaceAll(/\s*\n\s*/g, " ")
    .replaceAll("|", "\\|")
    .trim();
}
