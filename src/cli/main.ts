#!/usr/bin/env node
/**
 * The command line, for looking after a queue: a client of the public API like any other.
 *
 * @module
 */

import process from "node:process";
import { parseArgs } from "node:util";
import { EmbeddingQueue, EmbedqError, VERSION } from "../index.ts";
import { COMMANDS, type Command } from "./commands.ts";

const USAGE = `embedq ${VERSION}: look after a queue of texts to embed

Usage: embedq <command> [options]

${COMMANDS.map(({ usage, summary }) => `  ${usage.padEnd(22)} ${summary}`).join("\n")}

Options:
  --redis URL            Redis to connect to (default: REDIS_URL, else redis://127.0.0.1:6379)
  --name NAME            name of the queue (default: embed_queue)
  --json                 print JSON
  --version, --help
`;

/** Somebody sits before the screen: a Redis that is not there is reported soon. */
const COMMAND_TIMEOUT_MS = 3000;

/** Exit codes: 0 done, 1 failed, 2 called wrongly. */
process.exitCode = await main(process.argv.slice(2));

async function main(argv: string[]): Promise<number> {
  let call: ReturnType<typeof read>;
  try {
    call = read(argv);
  } catch (error) {
    return fail(error, 2);
  }
  const { values, positionals } = call;
  if (values.version) return print(VERSION);
  if (values.help || positionals.length === 0) return print(USAGE);
  const found = commandOf(positionals);
  if (found === undefined) {
    return fail(new Error(`Unknown command "${positionals.join(" ")}": see embedq --help`), 2);
  }
  const { command, rest } = found;
  if (rest.length < command.minArguments || rest.length > command.maxArguments) {
    return fail(new Error(`Use it as: embedq ${command.usage}`), 2);
  }
  const redis = values.redis ?? process.env["REDIS_URL"] ?? "redis://127.0.0.1:6379";
  try {
    return await run(found, redis, values.name, values.json);
  } catch (error) {
    return fail(error, 1);
  }
}

function read(argv: string[]) {
  return parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      redis: { type: "string" },
      name: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
      version: { type: "boolean", default: false },
    },
  });
}

/** The command that the words begin with, and the words after it. */
function commandOf(words: readonly string[]): { command: Command; rest: string[] } | undefined {
  for (const command of COMMANDS) {
    const name = command.name.split(" ");
    if (name.every((word, i) => words[i] === word)) {
      return { command, rest: words.slice(name.length) };
    }
  }
  return undefined;
}

async function run(
  { command, rest }: { command: Command; rest: string[] },
  redis: string,
  name: string | undefined,
  asJson: boolean,
): Promise<number> {
  const queue = new EmbeddingQueue({ redis, name, commandTimeoutMs: COMMAND_TIMEOUT_MS });
  try {
    await queue.start();
    const { data, lines, hasFailed = false } = await command.run(queue, rest);
    print(asJson ? JSON.stringify(data, undefined, 2) : lines.join("\n"));
    return hasFailed ? 1 : 0;
  } finally {
    await queue.stop();
  }
}

function print(text: string): number {
  process.stdout.write(`${text.trimEnd()}\n`);
  return 0;
}

function fail(error: unknown, code: number): number {
  const message = error instanceof Error ? error.message : String(error);
  const prefix = error instanceof EmbedqError ? `${error.code}: ` : "";
  process.stderr.write(`embedq: ${prefix}${message}\n`);
  return code;
}
