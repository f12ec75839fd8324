// The tree of commands, in the order in which people meet them.

import tabCompletion from "@bomb.sh/tab/commander";
import { Command } from "commander";
import { VERSION } from "../index.ts";
import { type AddCommand, addCommonOptions } from "./command.ts";
import { cancel } from "./commands/cancel.ts";
import { config } from "./commands/config.ts";
import { dead } from "./commands/dead.ts";
import { exportCommand } from "./commands/export.ts";
import { flush } from "./commands/flush.ts";
import { get } from "./commands/get.ts";
import { pause, resume } from "./commands/pause.ts";
import { search } from "./commands/search.ts";
import { stats } from "./commands/stats.ts";

const GROUPS: readonly (readonly [title: string, commands: readonly AddCommand[]])[] = [
  ["Read vectors:", [get, search, exportCommand]],
  ["Look after a queue:", [stats, flush, pause, resume, config, dead, cancel]],
];

/** Builds it anew; nothing runs before `parseAsync`. */
export function createProgram(): Command {
  const program = new Command("embedq");
  program
    .description(`embedq ${VERSION}: texts in, vectors out, by way of Redis`)
    .version(VERSION, "-V, --version", "print the version")
    .helpOption("-h, --help", "show help")
    .helpCommand("help [command]", "show help for a command")
    .enablePositionalOptions()
    .configureOutput({
      outputError: (text, write) => write(text.replace(/^error: /, "embedq: ")),
    })
    .showHelpAfterError("Add --help to see what there is.")
    .exitOverride();
  addCommonOptions(program);
  for (const [title, commands] of GROUPS) {
    program.commandsGroup(title);
    for (const add of commands) add(program);
  }
  program.commandsGroup("Other:");
  tabCompletion(program);
  return program;
}
