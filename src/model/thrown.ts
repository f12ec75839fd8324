// What is in something thrown: an error of embedq, an HTTP reply, or a broken network, also where a
// client library has wrapped it.

import { EmbedderError, messageOf } from "./errors.ts";
import { type HeaderSource, type HttpReply, readStatement } from "./http-reply.ts";

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
  if (reply !== undefined) return { is: "reply", reply, message: wordsIn(at) ?? "" };
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
  const given = [
    // The openai client keeps what stands under "error" there.
    it["error"],
    it["data"],
    it["responseBody"],
    it["body"],
    response["data"],
    it["errorDetails"],
  ].filter((body) => body !== undefined && body !== null);
  const words = wordsIn(it);
  // Google's client makes the whole body its message; others' is all there is where they keep none.
  const isBody =
    words?.trimStart().startsWith("{") ||
    (given.every((body) => typeof body !== "string") && readStatement(given).messages.length === 0);
  const { code, type, param } = it;
  // A code such as ERR_BAD_REQUEST is the client's own.
  const codes = { code: String(code).startsWith("ERR_") ? undefined : code, type, param };
  return {
    status: status as number,
    headers: headers as HeaderSource | undefined,
    body: [
      ...given,
      ...(isBody && words !== undefined ? [words] : []),
      ...(thrown instanceof Error ? [codes] : []),
    ],
  };
}

/** The message of a client's error, without the status that the openai client puts before it. */
function wordsIn(thrown: unknown): string | undefined {
  const { message } = thrown as { message?: unknown };
  if (typeof message !== "string" || message === "") return undefined;
  return message.replace(/^\d{3} (status code \(no body\)$)?/, "");
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
