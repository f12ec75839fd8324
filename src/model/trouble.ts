// Sorting what an embedder throws: whose fault it is decides what happens to the texts.

import {
  asError,
  type CallMeasure,
  EmbedderError,
  type EmbedderErrorKind,
  messageOf,
} from "./errors.ts";

/** An embedder's failure, sorted. `unclassified` spends an attempt; the other kinds are documented with their names. */
export interface Trouble {
  readonly kind: EmbedderErrorKind | "unclassified";
  readonly error: Error;
  /** When a new call makes sense, in milliseconds from now; undefined where nobody said. */
  readonly retryAfterMs: number | undefined;
  /** For `fatal`: whom it concerns. */
  readonly scope: "worker" | "account";
  /** For `rejected`: what the call as a whole had too much of; undefined where a text is at fault. */
  readonly exceeded: CallMeasure | undefined;
}

/** Nobody waits longer than for the next daily quota; what names more is a mistake. */
const MAX_PAUSE_MS = 86_400_000;

/** HTTP statuses that say "later", whoever throws them. */
const LATER_STATUSES = new Set([408, 409, 425, 429]);

/** Error codes of the network, of Node's fetch (undici), of Bun, and of the operating system. */
const NETWORK_CODES =
  /^(ECONN|EPROTO|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENETDOWN|ENOTFOUND|EAI_AGAIN|ERR_SOCKET|ERR_TLS|UND_ERR_|ConnectionRefused|ConnectionClosed|FailedToOpenSocket)/;

/** Where a runtime gives no code: Node and browsers, then Deno. */
const NETWORK_MESSAGES =
  /^(fetch failed|Failed to fetch|NetworkError|network error|error sending request|error reading a body|error decoding response)/i;

/** Sorts anything that an embedder threw, or returned in the place of a vector. */
export function troubleOf(thrown: unknown): Trouble {
  const error = asError(thrown);
  if (error instanceof EmbedderError) {
    return {
      kind: error.kind,
      error,
      // A Retry-After that was a date, or a clock that runs ahead: as if none was named.
      retryAfterMs: pauseOf(error.retryAfterMs),
      scope: error.scope,
      exceeded: error.exceeded,
    };
  }
  const status = statusOf(thrown);
  const isOutage =
    (status !== undefined && (LATER_STATUSES.has(status) || status >= 500)) || isNetwork(error);
  const kind = status === 429 ? "rateLimited" : isOutage ? "unavailable" : "unclassified";
  return { kind, error, retryAfterMs: undefined, scope: "worker", exceeded: undefined };
}

/** True where a failure costs no attempt: the provider or the worker is at fault, not the text. */
export function isOutage(trouble: Trouble): boolean {
  return trouble.kind !== "rejected" && trouble.kind !== "unclassified";
}

function pauseOf(ms: number | undefined): number | undefined {
  // Zero is no pause: the next call would follow at once, and the next refusal.
  if (ms === undefined || !Number.isFinite(ms) || ms <= 0) return undefined;
  return Math.min(ms, MAX_PAUSE_MS);
}

/** The HTTP status that client libraries attach, under one of their names. */
function statusOf(thrown: unknown): number | undefined {
  const { status, statusCode, response } = (thrown ?? {}) as {
    status?: unknown;
    statusCode?: unknown;
    response?: { status?: unknown };
  };
  return [status, statusCode, response?.status].find((value) => typeof value === "number");
}

function isNetwork(error: Error): boolean {
  if (error.name === "TimeoutError" || error.name === "AbortError") return true;
  // fetch throws a TypeError "fetch failed" and hides the reason in the cause, some levels down.
  let at: unknown = error;
  for (let depth = 0; depth < 5 && at instanceof Error; depth++, at = at.cause) {
    const code = (at as { code?: unknown }).code;
    if (typeof code === "string" && NETWORK_CODES.test(code)) return true;
    if (at instanceof TypeError && NETWORK_MESSAGES.test(messageOf(at))) return true;
  }
  return false;
}
