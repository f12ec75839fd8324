// What is in something thrown: an error of embedq, an HTTP reply, or a broken network, also where a
// client library has wrapped it.

import { EmbedderError, messageOf } from "./errors.ts";
import type { HeaderSource, HttpReply } from "./http-reply.ts";

/** What was found, nearest to the surface first. */
export type Found =
  | { readonly is: "sorted"; readonly error: EmbedderError }
  | { readonly is: "reply"; readonly reply: HttpReply; readonly message: string }
  | { readonly is: "network" }
  | undefined;

/** Wrapped deeper than this by nobody; a cause may be in a circle. */
const MAX_DEPTH = 6;

/** Error codes of the network, of Node's fetch (undici), of Bun, and of the operating system. */
const NETWORK_CODES =
  /^(ECONN|EPROTO|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENETDOWN|ENOTFOUND|EAI_AGAIN|ERR_SOCKET|ERR_TLS|UND_ERR_|ConnectionRefused|ConnectionClosed|FailedToOpenSocket)/;

/** Where a runtime gives no code: Node and browsers, whose TypeError it is. */
const FETCH_MESSAGES = /^(fetch failed|Failed to fetch|NetworkError|network error)/i;

/**
 * Words that say it all, whatever the error's type is: Deno's, which client libraries put into errors
 * of their own, and those of the openai client, whose errors have no name and no code.
 */
const PLAIN_MESSAGES =
  /^(error (sending request|reading a body|decoding response)|(Connection error\.|Request timed out\.|Request was aborted\.)$)/;

/** Looks into something thrown, level by level. */
export function findIn(thrown: unknown): Found {
  let level: readonly unknown[] = [thrown];
  let success: Found;
  for (let depth = 0; depth < MAX_DEPTH && level.length > 0; depth++) {
    for (const at of level) {
      const found = look(at);
      // A reply that began well may have been cut: then the reason is below it.
      if (found?.is === "reply" && found.reply.status < 300) success ??= found;
      else if (found !== undefined) return found;
    }
    level = level.flatMap(wrappedIn);
  }
  return success;
}

function look(at: unknown): Found {
  if (at instanceof EmbedderError) return { is: "sorted", error: at };
  const reply = replyOf(at);
  if (reply !== undefined) {
    const { message } = at as { message?: unknown };
    return { is: "reply", reply, message: typeof message === "string" ? message : "" };
  }
  return isNetwork(at) ? { is: "network" } : undefined;
}

/** What retries leave: the last error first, as it tells how things stand now. */
function wrappedIn(at: unknown): readonly unknown[] {
  if (typeof at !== "object" || at === null) return [];
  const { lastError, errors, cause } = at as Record<string, unknown>;
  const list = Array.isArray(errors) ? [...(errors as unknown[])].reverse().slice(0, 3) : [];
  return [lastError, ...list, cause].filter((inner) => inner !== undefined && inner !== at);
}

/** The reply that client libraries attach, under the names they have for it. */
function replyOf(thrown: unknown): HttpReply | undefined {
  if (typeof thrown !== "object" || thrown === null) return undefined;
  const it = thrown as Record<string, unknown>;
  const response = (it["response"] ?? {}) as Record<string, unknown>;
  const status = [it["status"], it["statusCode"], it["status_code"], response["status"]].find(
    (value) => typeof value === "number" && value >= 100 && value < 600,
  );
  if (status === undefined) return undefined;
  const headers = [it["headers"], it["responseHeaders"], response["headers"]].find(
    (value) => typeof value === "object" && value !== null,
  );
  const { message } = it;
  const bodies = [
    // The openai client keeps what stands under "error" there.
    it["error"],
    it["data"],
    it["responseBody"],
    it["body"],
    response["data"],
    it["errorDetails"],
    // Google's client makes the whole body its message.
    typeof message === "string" && message.trimStart().startsWith("{") ? message : undefined,
    thrown instanceof Error
      ? { code: it["code"], type: it["type"], param: it["param"] }
      : undefined,
  ];
  return {
    status: status as number,
    headers: headers as HeaderSource | undefined,
    body: bodies.filter((body) => body !== undefined && body !== null),
  };
}

function isNetwork(at: unknown): boolean {
  if (!(at instanceof Error)) return false;
  if (at.name === "TimeoutError" || at.name === "AbortError") return true;
  const { code } = at as { code?: unknown };
  if (typeof code === "string" && NETWORK_CODES.test(code)) return true;
  const message = messageOf(at);
  // fetch throws a TypeError "fetch failed" and hides the reason in the cause.
  return (at instanceof TypeError && FETCH_MESSAGES.test(message)) || PLAIN_MESSAGES.test(message);
}
