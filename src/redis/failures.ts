// What a failed command means: the one table of Redis' error codes and of the client's own errors.

import { EmbedqError, messageOf } from "../model/errors.ts";

/**
 * - `passing`: it goes away by itself; the same command may be sent again.
 * - `noScript`: the script must be sent in full.
 * - `final`: sending it again changes nothing.
 */
export type Failure = "passing" | "noScript" | "final";

// By the first word of the message: node-redis v4 gives every error reply the name "Error".
const PASSING_REPLIES = new Set([
  "LOADING", // the server reads its data after a start
  "BUSY", // a script of somebody runs too long
  "TRYAGAIN", // a slot is moving
  "MASTERDOWN",
  "NOREPLICAS",
  "CLUSTERDOWN",
  "READONLY", // after a fail-over, until the client reaches the new master
  "MISCONF", // the server cannot save, and refuses writes until it can
]);

// Client errors: the socket broke, the client is between two sockets, or its queue does not move. By
// message, code and class: the newer versions throw a TimeoutError that says nothing.
const PASSING_ERRORS =
  /Socket closed|Socket timeout|timeout during maintenance|TimeoutError|queue is full|ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|Connection timeout|client is offline|client is closed|Disconnects client|no answer in time/i;

export function classify(error: unknown): Failure {
  const message = messageOf(error);
  const word = replyWord(error);
  if (word === "NOSCRIPT") return "noScript";
  if (PASSING_REPLIES.has(word)) return "passing";
  // Where every address of a host refused, Node's error has a code and no message.
  const { code = "" } = (error ?? {}) as { code?: unknown };
  const className = error instanceof Error ? error.constructor.name : "";
  return PASSING_ERRORS.test(`${message} ${String(code)} ${className}`) ? "passing" : "final";
}

/** The word that an error reply begins with. Redis 6.2 puts words of its own before what a script died of. */
export function replyWord(error: unknown): string {
  const message = messageOf(error);
  const [, inScript] =
    /^ERR Error running script .*?@user_script: \d+: -([A-Z]+) /.exec(message) ?? [];
  return inScript ?? message.split(" ", 1)[0] ?? "";
}

/** The error that leaves embedq for a failed command. */
export function redisError(action: string, error: unknown): EmbedqError {
  if (error instanceof EmbedqError) return error;
  const isPassing = classify(error) === "passing";
  return new EmbedqError(
    isPassing ? "ERR_REDIS_UNAVAILABLE" : "ERR_REDIS_REPLY",
    `Cannot ${action} as Redis ${isPassing ? "is not available" : "refused it"}: ${messageOf(error)}`,
    { cause: error },
  );
}
