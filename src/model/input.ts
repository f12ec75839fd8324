// Checks of what callers hand in, before anything is written.

import * as v from "valibot";
import { check, GROUP, kindOf, show, signal, text, wholeFrom } from "./check.ts";
import { EmbedqError } from "./errors.ts";
import type { EnqueueItem } from "./job.ts";

/** Bounds of a wait inside an operation. */
export interface FlushOptions {
  /** How long to wait, in milliseconds. @default 15000 */
  readonly timeoutMs?: number | undefined;
  /** Ends the wait when raised. */
  readonly signal?: AbortSignal | undefined;
}

/** Bounds of an `enqueueMany`. */
export interface EnqueueOptions {
  /** Ends it between two chunks when raised. */
  readonly signal?: AbortSignal | undefined;
}

/** Which dead letters to list. */
export interface DeadLetterQuery {
  /** Only letters after the one with this ID: younger ones. */
  readonly after?: string | undefined;
  /** Only letters before the one with this ID: older ones. */
  readonly before?: string | undefined;
  /** From the newest on, not from the oldest. @default false */
  readonly newestFirst?: boolean | undefined;
  /** The most letters to return. @default 100 */
  readonly limit?: number | undefined;
}

/** @throws {EmbedqError} `ERR_INPUT_INVALID` that names the first bad item. */
export function checkItems(items: readonly EnqueueItem[], reservedPrefix: string): void {
  if (!Array.isArray(items)) {
    throw invalid("the list of items", "an array of { key, text }", items);
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

/** @throws {EmbedqError} `ERR_INPUT_INVALID`. */
export function checkLetterId(id: unknown): string {
  if (typeof id !== "string" || !LETTER_ID.test(id)) {
    throw invalid("the ID of a dead letter", "like 1700000000000-0", id);
  }
  return id;
}

/** @throws {EmbedqError} `ERR_INPUT_INVALID`. */
export function checkLetterIds(ids: unknown): string[] {
  if (!Array.isArray(ids)) throw invalid("the list of dead letters' IDs", "an array", ids);
  return ids.map(checkLetterId);
}

/**
 * The bounds of a wait. Where none are given, nothing is looked at: most waits have none.
 *
 * @throws {EmbedqError} `ERR_OPTION_INVALID`.
 */
export function checkBounds(options: FlushOptions | undefined): FlushOptions {
  return options === undefined ? NO_BOUNDS : check(boundsSchema, options, "");
}

/** @throws {EmbedqError} `ERR_OPTION_INVALID`. */
export function checkEnqueueOptions(options: EnqueueOptions | undefined): EnqueueOptions {
  return options === undefined ? NO_BOUNDS : check(enqueueSchema, options, "");
}

/** @throws {EmbedqError} `ERR_OPTION_INVALID`. */
export function checkLetterQuery(query: DeadLetterQuery | undefined): DeadLetterQuery {
  return query === undefined ? {} : check(letterQuerySchema, query, "");
}

/** IDs of a stream's entries. */
const LETTER_ID = /^\d{1,20}-\d{1,20}$/;

const NO_BOUNDS = {};

const enqueueEntries = { signal: v.optional(signal) };
const enqueueSchema = v.strictObject(enqueueEntries, GROUP);

// Infinity stands for no limit.
const duration = v.pipe(
  v.number("must be a number from 0"),
  v.minValue(0, "must be a number from 0"),
);
const boundsSchema = v.strictObject({ timeoutMs: v.optional(duration), ...enqueueEntries }, GROUP);

const letterQuerySchema = v.strictObject(
  {
    after: v.optional(text(LETTER_ID, "like 1700000000000-0")),
    before: v.optional(text(LETTER_ID, "like 1700000000000-0")),
    newestFirst: v.optional(v.boolean("must be true or false")),
    limit: v.optional(wholeFrom(1)),
  },
  GROUP,
);

// Texts are never shown: only what kind of value there is.
function invalid(what: string, wanted: string, found: unknown): EmbedqError {
  const shown = what.includes("text") || what.includes("items") ? kindOf(found) : show(found);
  return new EmbedqError(
    "ERR_INPUT_INVALID",
    `Cannot accept ${what} as it must be ${wanted}: it is ${shown}`,
  );
}
