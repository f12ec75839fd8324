// What people read when something goes wrong: one line, and a hint where there is one.

import { EmbedqError, type ErrorCode } from "../index.ts";
import { EXIT } from "./exit-codes.ts";

/** The command line was called wrongly. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly hint: string | undefined;

  constructor(message: string, options: { hint?: string | undefined } & ErrorOptions = {}) {
    super(message, options);
    this.hint = options.hint;
  }
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
  ERR_SETTINGS_BUSY: "embedq pause, wait until nothing is in flight (embedq stats), then again",
  ERR_QUEUE_MISSING: "is the name right (--name)? The first embedq enqueue or work begins a queue",
  ERR_PROTOCOL_NEWER: "update embedq here",
  ERR_WAIT_TIMEOUT: "does a worker run? embedq stats shows it",
};

/** What something long ends with when it failed after a part: what counts is why. */
const ON_THE_WAY: ReadonlySet<ErrorCode> = new Set(["ERR_ENQUEUE_FAILED", "ERR_WALK_FAILED"]);

/** What to try, if something is known. */
export function hintFor(error: unknown): string | undefined {
  if (error instanceof CommandError || error instanceof UsageError) return error.hint;
  if (!(error instanceof EmbedqError)) return undefined;
  const refusal = refusalHint(error.message);
  if (refusal !== undefined) return refusal;
  if (error.code === "ERR_SETTINGS_CONFLICT") return conflictHint(error.message);
  return HINTS[error.code] ?? (ON_THE_WAY.has(error.code) ? hintFor(error.cause) : undefined);
}

/** Where Redis lets nobody in. Redis says so of a long command in words that nobody understands. */
function refusalHint(message: string): string | undefined {
  if (/NOAUTH|unauthenticated (?:multi)?bulk/.test(message)) {
    return "Redis wants a password: put it in REDIS_URL, like redis://user:password@host:6379";
  }
  if (message.includes("WRONGPASS")) return "look at user and password in REDIS_URL or --redis";
  return message.includes("NOPERM") ? "embedq doctor tells which rights are missing" : undefined;
}

/** The flags of `embedq config set`, by the names of the settings. */
const FLAGS: Readonly<Record<string, string>> = {
  maxBatchSize: "--max-batch-size",
  flushIntervalMs: "--flush-interval",
  leaseMs: "--lease",
  maxAttempts: "--max-attempts",
  maxDeadLetters: "--max-dead-letters",
};

/** What is asked for can be stored, by a command to copy. Not so another model: that is a mistake, or a plan. */
function conflictHint(message: string): string {
  const [, queue = ""] = /^Cannot join the queue "([\w.:-]+)"/.exec(message) ?? [];
  const asked = [...message.matchAll(/`(\w+)` is [^;]*?, asked for ([^;]+?)(?=;|\. |$)/g)];
  const flags = asked.map(([, name = "", value = ""]) => {
    const flag = FLAGS[name];
    return flag && `${flag} ${name.endsWith("Ms") ? inUnits(Number(value)) : value}`;
  });
  const look = "embedq config shows what is stored";
  if (queue !== "" && flags.length > 0 && !flags.includes(undefined)) {
    return `${look}; for all processes: embedq config set ${flags.join(" ")} --name ${queue}`;
  }
  return `${look}; are --name and --provider the right ones? embedq config set changes it for all`;
}

function inUnits(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}

/** Whether Redis is out of reach: the same may succeed later. */
export function isRedisAway(error: unknown): boolean {
  return error instanceof EmbedqError && error.code === "ERR_REDIS_UNAVAILABLE";
}

/** The exit code that an error ends the process with. */
export function exitCodeFor(error: unknown): number {
  if (error instanceof UsageError) return EXIT.usage;
  if (error instanceof CommandError) return error.exitCode;
  if (!(error instanceof EmbedqError)) return EXIT.failed;
  if (ON_THE_WAY.has(error.code)) return exitCodeFor(error.cause);
  if (isRedisAway(error)) return EXIT.unavailable;
  return error.code === "ERR_OPTION_INVALID" ? EXIT.usage : EXIT.failed;
}

/** The message of whatever was thrown, as one line. */
export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return withoutAdvice(error, message)
    .replaceAll(/\s*\n\s*/g, " ")
    .trim();
}

/** Some advice names methods and options of the library; here a hint stands in its place. */
function withoutAdvice(error: unknown, message: string): string {
  const code = error instanceof EmbedqError ? error.code : undefined;
  if (code === "ERR_SETTINGS_CONFLICT") return message.replace(/\. Leave the option out .*$/, "");
  if (code === "ERR_QUEUE_MISSING") return message.replace(/\. Look at the name .*$/, "");
  return message;
}

/** All that is known of an error, for `--verbose`. */
export function detailsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.stack ?? String(error);
  return error.cause === undefined ? own : `${own}\nCaused by: ${detailsOf(error.cause)}`;
}
