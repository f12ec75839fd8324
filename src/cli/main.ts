#!/usr/bin/env node
/**
 * The command line: a client of the public API like any other.
 *
 * @module
 */

import process from "node:process";
import { setInterval } from "node:timers";
import { CommanderError } from "commander";
import { messageOf } from "./errors.ts";
import { EXIT, SIGNAL_EXIT } from "./exit-codes.ts";
import { createProgram } from "./program.ts";

/** How long something may stay open after the command has ended. */
const LEFT_OPEN_MS = 1000;

// A reader that has seen enough, as in `embedq export | head`, is no failure; a full disk is one.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(EXIT.done);
  process.stderr.write(`embedq: Cannot write to standard output: ${messageOf(error)}\n`);
  process.exit(EXIT.failed);
});
// Where nobody hears what accompanies the work, the work goes on.
process.stderr.on("error", () => {});

try {
  const program = createProgram();
  if (process.argv.length <= 2) program.outputHelp();
  else await program.parseAsync(process.argv);
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // Commander has said what there is to say. Help and the version are no failures.
  process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.usage;
}

// An embedder of the user's own may have left something open, for instance a pool of connections.
// The timer itself keeps nothing alive: where all is closed, the process has ended before.
const isInterrupted = Object.values<unknown>(SIGNAL_EXIT).includes(process.exitCode);
const ending = setInterval(() => {
  // After Ctrl-C, a reader that reads no more is not waited for.
  if (isInterrupted || process.stdout.writableLength === 0) process.exit();
}, LEFT_OPEN_MS);
ending.unref();
