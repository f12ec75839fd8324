// Sorting what an embedder throws: whose fault it is decides what happens to the texts.

import { asError, type CallMeasure, type EmbedderError, type EmbedderErrorKind } from "./errors.ts";
import { sortRefusal } from "./refusals.ts";
import { findIn } from "./thrown.ts";

/** An embedder's failure, sorted. `unclassified` spends an attempt; the other kinds are documented with their names. */
export interface Trouble {
  readonly kind: EmbedderErrorKind | "unclassified";
  readonly error: Error;
  /** When a new call makes sense, in milliseconds from now; undefined where nobody said. */
  readonly retryAfterMs: number | undefined;
  /** For `fatal`: whom it concerns. */
  readonly scope: "worker" | "account";
  /** For `rejected`: what the call as a whole had too much of, or `text` where one is too long; undefined where a text is at fault otherwise. */
  readonly exceeded: CallMeasure | "text" | undefined;
}

/** Nobody waits longer than for the next daily quota; what names more is a mistake. */
const MAX_PAUSE_MS = 86_400_000;

/** What is known of the call that failed. */
export interface CallFacts {
  /** What was sent: it is not shown, and what it says decides nothing. */
  readonly texts?: readonly string[];
  /** The time, for a wait that a provider names as a date. @default that of this process */
  readonly nowMs?: number;
}

/** Sorts anything that an embedder threw, or returned in the place of a vector. */
export function troubleOf(
  thrown: unknown,
  { texts = [], nowMs = Date.now() }: CallFacts = {},
): Trouble {
  const found = findIn(thrown);
  if (found?.is === "sorted") return asTrouble(found.error);
  if (found?.is === "reply") {
    const refusal = sortRefusal(found.reply, { nowMs, texts, fallback: found.message });
    // Without the thrown error as its cause: in theirs, client libraries keep headers and texts.
    if (refusal !== undefined) return asTrouble(refusal);
  }
  return {
    kind: found?.is === "network" ? "unavailable" : "unclassified",
    error: asError(thrown),
    retryAfterMs: undefined,
    scope: "worker",
    exceeded: undefined,
  };
}

function asTrouble(error: EmbedderError): Trouble {
  const { kind, scope, exceeded } = error;
  // A clock that runs ahead, or a pause that is no number: as if none was named.
  return { kind, error, retryAfterMs: pauseOf(error.retryAfterMs), scope, exceeded };
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
