// The tree of commands, in the order in which people meet them.

import { type Argument, Command } from "commander";
import { VERSION } from "../index.ts";
import { withoutPasswords } from "./again.ts";
import { type AddCommand, addCommonOptions } from "./command.ts";
import { backfill } from "./commands/backfill.ts";
import { cancel } from "./commands/cancel.ts";
import { config } from "./commands/config.ts";
import { dead } from "./commands/dead.ts";
import { demo } from "./commands/demo.ts";
import { doctor } from "./commands/doctor.ts";
import { drain } from "./commands/drain.ts";
import { enqueue } from "./commands/enqueue.ts";
import { exportCommand } from "./commands/export.ts";
import { flush } from "./commands/flush.ts";
import { get } from "./commands/get.ts";
import { importCommand } from "./commands/import.ts";
import { pause, resume } from "./commands/pause.ts";
import { purge } from "./commands/purge.ts";
import { reembed } from "./commands/reembed.ts";
import { search } from "./commands/search.ts";
import { stats } from "./commands/stats.ts";
import { work } from "./commands/work.ts";
import { addCompletion } from "./completion.ts";

const GROUPS: readonly (readonly [title: string, commands: readonly AddCommand[]])[] = [
  ["Put texts in:", [enqueue, backfill, reembed, importCommand]],
  ["Drain:", [work, drain, flush]],
  ["Read vectors:", [get, search, exportCommand]],
  ["Look after a queue:", [stats, pause, resume, config, dead, cancel, purge, doctor]],
  ["Try it:", [demo]],
];

/** Builds it anew; nothing runs before `parseAsync`. */
export function createProgram(): Command {
  const program = new Command("embedq");
  program
    .description(`embedq ${VERSION}: texts in, vectors out, by way of Redis`)
    .version(VERSION, "-V, --version", "print the version")
    .configureHelp({
      subcommandTerm: (command) =>
        [command.name(), ...command.registeredArguments.map(termOf)].join(" "),
    })
    .enablePositionalOptions()
    .configureOutput({
      // A mistyped flag may have a password in its value.
      outputError: (text, write) => write(withoutPasswords(text.replace(/^error: /, "embedq: "))),
    })
    .showHelpAfterError("Add --help to see what there is.")
    .exitOverride();
  addCommonOptions(program);
  for (const [title, commands] of GROUPS) {
    program.commandsGroup(title);
    for (const add of commands) add(program);
  }
  program.commandsGroup("Other:").helpCommand("help [command]", "show help for a command");
  addCompletion(program);
  return program;
}

function termOf(argument: Argument): string {
  const name = argument.variadic ? `${argument.name()}...` : argument.name();
  return argument.required ? `<${name}>` : `[${name}]`;
}
