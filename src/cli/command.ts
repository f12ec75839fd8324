// How a command is described, and how it is run: options are read and checked, the handler is called,
// and whatever happens ends in one line and an exit code.

import process from "node:process";
import { type Command, Option } from "commander";
import { Context } from "./context.ts";
import { detailsOf, exitCodeFor, hintFor, messageOf } from "./errors.ts";
import { EXIT } from "./exit-codes.ts";
import { Interrupted, Interruption } from "./interruption.ts";
import { type ConfigFile, readConfigFile } from "./options/config-file.ts";
import { toggle, word, wordsOf } from "./options/schemas.ts";
import { QUEUE } from "./options/shared.ts";
import {
  environmentNames,
  type OptionSpec,
  option,
  type Specs,
  shared,
  type Values,
} from "./options/spec.ts";
import { readOptions } from "./options/values.ts";
import { Output } from "./output.ts";

/** Options that every command has; they may also stand before its name. */
const COMMON = {
  ...QUEUE,
  config: shared(
    option("--config <file>", "config file; without it, embedq.config.json if that is there", word),
  ),
  json: option("--json", "print data, for scripts", toggle),
  quiet: option("--quiet", "no progress, no notes", toggle),
  color: option("--no-color", "no colours", toggle),
  verbose: option("--verbose", "where something fails, all that is known of it", toggle),
} as const;

export interface CommandSpec<S extends Specs> {
  readonly name: string;
  /** Its arguments, as commander reads them: `<key...>`. @default none */
  readonly args?: string;
  /** Whether it is what its group does where no command of it is named. */
  readonly isDefault?: boolean;
  /** One line, for the list of commands. */
  readonly summary: string;
  /** What else people need to know. */
  readonly description?: string;
  /** Calls to copy, each with what it is for; the program's name is left out. */
  readonly examples: readonly (readonly [call: string, purpose: string])[];
  readonly options: S;
  /** @returns The exit code, where it is not 0. */
  run(context: Context, options: Values<S>, args: readonly string[]): Promise<number | undefined>;
}

/** A command that can be added to a program. */
export type AddCommand = (parent: Command) => void;

/** Describes one command. */
export function defineCommand<const S extends Specs>(spec: CommandSpec<S>): AddCommand {
  return (parent) => {
    const { name, args, isDefault = false } = spec;
    const command = parent.command(args ? `${name} ${args}` : name, { isDefault });
    command.summary(spec.summary);
    command.description([spec.summary, flowing(spec.description)].filter(Boolean).join("\n\n"));
    addOptions(command, spec.options);
    addCommonOptions(command, spec.options);
    command.addHelpText("after", SOURCES + examplesText(spec.examples));
    command.action(async () => {
      process.exitCode = await runCommand(spec, command);
    });
  };
}

/** Paragraphs in one line each: the terminal's width breaks them, not the source's. */
function flowing(text = ""): string {
  return text.replaceAll(/(?<!\n)\n(?!\n)/g, " ");
}

/** The options that every command has, except those that it has in a form of its own. */
export function addCommonOptions(command: Command, own: Specs = {}): void {
  const group = "Common options:";
  command.optionsGroup(group);
  addOptions(command, without(COMMON, own));
  command.addHelpOption(command.createOption("-h, --help", "show help").helpGroup(group));
}

/** Describes commands that share their first word. */
export function defineGroup(
  name: string,
  summary: string,
  commands: readonly AddCommand[],
): AddCommand {
  return (parent) => {
    const group = parent.command(name).summary(summary).description(summary);
    for (const add of commands) add(group);
  };
}

/** An option that also knows the words that it may be, for completions. */
export class SpecOption extends Option {
  readonly words: readonly string[];

  constructor(flags: string, description: string, words: readonly string[]) {
    super(flags, description);
    this.words = words;
  }
}

async function runCommand<S extends Specs>(
  spec: CommandSpec<S>,
  command: Command,
): Promise<number> {
  const flags = flagsOf(command);
  const env = process.env;
  const isVerbose = flags["verbose"] === true;
  const interruption = new Interruption();
  const out = new Output({
    signal: interruption.signal,
    isJson: flags["json"] === true,
    isQuiet: flags["quiet"] === true,
    isVerbose,
    allowsColor: flags["color"] !== false,
  });
  let context: Context | undefined;
  try {
    const { config } = readOptions({ config: COMMON.config }, { flags, env, file: undefined });
    const file: ConfigFile | undefined = await readConfigFile(config);
    const common = readOptions(COMMON, { flags: without(flags, spec.options), env, file });
    const options = readOptions(spec.options, { flags, env, file });
    context = new Context(out, interruption.signal, common);
    const code = await spec.run(context, options, command.args);
    await context.close();
    return code ?? EXIT.done;
  } catch (error) {
    out.keepBelow(undefined);
    // What broke first, not what broke because of it.
    const reason: unknown = interruption.signal.aborted ? interruption.signal.reason : error;
    report(out, reason, isVerbose);
    await context?.close().catch((failure: unknown) => report(out, failure, isVerbose));
    return reason instanceof Interrupted ? reason.exitCode : exitCodeFor(reason);
  } finally {
    interruption.end();
  }
}

/** Of the command itself and of the words before it; what stands nearer to the end counts. */
function flagsOf(command: Command | null): Record<string, unknown> {
  if (command === null) return {};
  const own = Object.entries(command.opts<Record<string, unknown>>());
  // What commander fills in by itself, `color: true`, is not said by anybody.
  const said = own.filter(([name]) => command.getOptionValueSource(name) === "cli");
  return { ...flagsOf(command.parent), ...Object.fromEntries(said) };
}

function report(out: Output, error: unknown, isVerbose: boolean): void {
  const { red, dim } = out.noteStyle;
  const label = error instanceof Interrupted ? "embedq:" : red("embedq:");
  out.warn(`${label} ${isVerbose ? detailsOf(error) : messageOf(error)}`);
  const hint = hintFor(error);
  if (hint !== undefined) out.warn(dim(`hint: ${hint}`));
}

function addOptions(command: Command, specs: Specs): void {
  for (const [name, spec] of Object.entries(specs)) {
    const option = new SpecOption(spec.flags, described(name, spec), wordsOf(spec.schema));
    if (spec.group !== undefined) option.helpGroup(spec.group);
    if (spec.isRepeated) {
      option.argParser((value, before: readonly string[] = []) => [...before, value]);
    }
    command.addOption(option);
  }
}

/** The entries whose names do not occur in the other one. */
function without<T>(
  entries: Readonly<Record<string, T>>,
  names: Readonly<Record<string, unknown>>,
): Record<string, T> {
  return Object.fromEntries(Object.entries(entries).filter(([name]) => !(name in names)));
}

function described(
  name: string,
  { description, shownFallback, isShared }: OptionSpec<unknown>,
): string {
  const [, ...others] = environmentNames(name);
  const notes = [
    ...(shownFallback === undefined ? [] : [`default: ${shownFallback}`]),
    // The name that follows from the flag is said once, below.
    ...(isShared ? [["env", ...others].join(", ")] : []),
  ];
  return notes.length === 0 ? description : `${description} (${notes.join("; ")})`;
}

/** Said once, in the place of two names beside each option. */
const SOURCES = `
(env): also from the environment, --max-attempts 5 as EMBEDQ_MAX_ATTEMPTS=5, and
from the config file, as "maxAttempts": 5. A flag counts most, the file least.`;

function examplesText(examples: CommandSpec<Specs>["examples"]): string {
  const lines = examples.map(([call, purpose]) => `  # ${purpose}\n  embedq ${call}`);
  return lines.length === 0 ? "" : `\n\nExamples:\n${lines.join("\n\n")}`;
}
