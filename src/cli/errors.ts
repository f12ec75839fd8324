// What people read when something goes wrong: one line, and a hint where there is one.

import { EmbedqError, type ErrorCode } from "../index.ts";
import { EXIT } from "./exit-codes.ts";

/** The command line was called wrongly. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** What was asked for did not come about, with the reason in words and its own exit code. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly exitCode: number;
  readonly hint: string | undefined;

  constructor(message: string, options: { exitCode?: number; hint?: string } & ErrorOptions = {}) {
    super(message, options);
    this.exitCode = options.exitCode ?? EXIT.failed;
    this.hint = options.hint;
  }
}

const HINTS: Partial<Record<ErrorCode, string>> = {
  ERR_REDIS_UNAVAILABLE:
    "is it running? Name it with --redis or REDIS_URL; embedq doctor tells more",
  ERR_SETTINGS_CONFLICT: "embedq config shows what is stored, embedq config set changes it for all",
  ERR_SETTINGS_BUSY: "embedq pause, wait until nothing is in flight (embedq stats), then again",
  ERR_QUEUE_MISSING: "is the name right (--name)? The first embedq enqueue or work begins a queue",
  ERR_PROTOCOL_NEWER: "update embedq here",
  ERR_WAIT_TIMEOUT: "does a worker run? embedq stats shows it",
};

/** What something long ends with when it failed after a part: what counts is why. */
const ON_THE_WAY: ReadonlySet<ErrorCode> = new Set(["ERR_ENQUEUE_FAILED", "ERR_WALK_FAILED"]);

/** What to try, if something is known. */
export function hintFor(error: unknown): string | undefined {
  if (error instanceof CommandError) return error.hint;
  if (!(error instanceof EmbedqError)) return undefined;
  return HINTS[error.code] ?? (ON_THE_WAY.has(error.code) ? hintFor(error.cause) : undefined);
}

/** The exit code that an error ends the process with. */
export function exitCodeFor(error: unknown): number {
  if (error instanceof UsageError) return EXIT.usage;
  if (error instanceof CommandError) return error.exitCode;
  if (!(error instanceof EmbedqError)) return EXIT.failed;
  if (ON_THE_WAY.has(error.code)) return exitCodeFor(error.cause);
  if (error.code === "ERR_REDIS_UNAVAILABLE") return EXIT.unavailable;
  return error.code === "ERR_OPTION_INVALID" ? EXIT.usage : EXIT.failed;
}

/** The message of whatever was thrown, as one line. */
export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replaceAll(/\s*\n\s*/g, " ").trim();
}

/** All that is known of an error, for `--verbose`. */
export function detailsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.stack ?? String(error);
  return error.cause === undefined ? own : `${own}\nCaused by: ${detailsOf(error.cause)}`;
}
