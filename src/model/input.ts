// Checks of what producers hand in, before anything is written.

import { EmbedqError } from "./errors.ts";
import type { EnqueueItem } from "./job.ts";

/** Bounds of a wait inside an operation. */
export interface FlushOptions {
  /** How long to wait, in milliseconds. @default 15000 */
  readonly timeoutMs?: number | undefined;
  /** Ends the wait when raised. */
  readonly signal?: AbortSignal | undefined;
}

/** Which dead letters to list. */
export interface DeadLetterQuery {
  /** ID of the letter to begin after. @default from the oldest */
  readonly after?: string | undefined;
  /** The most letters to return. @default 100 */
  readonly limit?: number | undefined;
}

/** @throws {EmbedqError} `ERR_INPUT_INVALID` that names the first bad item. */
export function checkItems(items: readonly EnqueueItem[], reservedPrefix: string): void {
  if (!Array.isArray(items)) {
    throw invalid("the items", "an array of { key, text }", items);
  }
  // Not by forEach, which passes over holes.
  for (let i = 0; i < items.length; i++) {
    const { key, text }: Partial<EnqueueItem> = items[i] ?? {};
    checkKey(key, `\`key\` of item ${i}`);
    if (key?.startsWith(reservedPrefix)) {
      throw invalid(`\`key\` of item ${i}`, `no key of the queue itself (${reservedPrefix}…)`, key);
    }
    if (typeof text !== "string" || !text.isWellFormed()) {
      throw invalid(`\`text\` of item ${i}`, "a string without lone surrogates", text);
    }
  }
}

/** @throws {EmbedqError} `ERR_INPUT_INVALID`. */
export function checkKey(key: unknown, what = "the key"): string {
  if (typeof key !== "string" || key === "" || !key.isWellFormed()) {
    // Lone surrogates would all become the same bytes: two keys in one.
    throw invalid(what, "a string that is not empty and has no lone surrogates", key);
  }
  return key;
}

/** @throws {EmbedqError} `ERR_INPUT_INVALID`. */
export function checkVersion(version: unknown): number {
  if (!Number.isSafeInteger(version) || (version as number) < 1) {
    throw invalid("the version", "a whole number from 1", version);
  }
  return version as number;
}

/** @throws {EmbedqError} `ERR_INPUT_INVALID`. Infinity stands for no limit. */
export function checkTimeout(timeoutMs: unknown): number {
  if (typeof timeoutMs !== "number" || !(timeoutMs >= 0)) {
    throw invalid("`timeoutMs`", "a number from 0", timeoutMs);
  }
  return timeoutMs;
}

/** @throws {EmbedqError} `ERR_INPUT_INVALID`. */
export function checkLetterId(id: unknown): string {
  if (typeof id !== "string" || !/^\d{1,20}-\d{1,20}$/.test(id)) {
    throw invalid("the ID of a dead letter", "like 1700000000000-0", id);
  }
  return id;
}

/** @throws {EmbedqError} `ERR_INPUT_INVALID`. */
export function checkLimit(limit: unknown): number {
  if (!Number.isSafeInteger(limit) || (limit as number) < 1) {
    throw invalid("`limit`", "a whole number from 1", limit);
  }
  return limit as number;
}

// Texts are never shown: only what kind of value there is.
function invalid(what: string, wanted: string, found: unknown): EmbedqError {
  const isKey = what.includes("key") && typeof found === "string";
  const shown = isKey ? JSON.stringify(found.slice(0, 60)) : `of type ${typeof found}`;
  return new EmbedqError(
    "ERR_INPUT_INVALID",
    `Cannot accept ${what} as it must be ${wanted}: it is ${shown}`,
  );
}
