// What is done to all of a queue's work, or to all its dead letters, in pages: what is asked for and
// what comes of it.

import * as v from "valibot";
import { aFunction, check, GROUP, signal } from "./check.ts";
import type { SendBackResult } from "./outcome.ts";

/** Bounds of something that is done in pages. */
export interface BulkBounds<Progress> {
  /** Ends it after the page under way when raised; the result then has `done: false`. */
  readonly signal?: AbortSignal | undefined;
  /** Called and awaited after each page. What it throws ends it. */
  readonly onProgress?: ((progress: Progress) => PromiseLike<void> | void) | undefined;
}

/** Options of `purge`. */
export type PurgeOptions = BulkBounds<PurgeProgress>;

/** How far a purge has come. */
export interface PurgeProgress {
  /** What was taken away so far, counted as `stats().pending` counts. */
  readonly removed: number;
  /** How much there was at the call. */
  readonly total: number;
}

/** How a purge ended. */
export interface PurgeResult {
  /** What was taken away, counted as `stats().pending` counts. */
  readonly removed: number;
  /** True when all that was outstanding at the call is gone; false when the signal ended it before. */
  readonly done: boolean;
}

/** Options of `sendBackAll`. */
export type SendBackAllOptions = BulkBounds<SendBackCounts>;

/** What became of dead letters, counted by {@link SendBackResult}. */
export type SendBackCounts = Readonly<Record<SendBackResult["status"], number>>;

/** How a `sendBackAll` ended. */
export type SendBackAllResult = SendBackCounts & {
  /** True when every letter of the call was met; false when the signal ended it before. */
  readonly done: boolean;
};

/** @throws {EmbedqError} `ERR_OPTION_INVALID`. */
export function checkBulk<Progress>(options: BulkBounds<Progress> = {}): BulkBounds<Progress> {
  return check(bulkSchema, options, "") as BulkBounds<Progress>;
}

const bulkSchema = v.strictObject(
  { signal: v.optional(signal), onProgress: v.optional(aFunction<() => void>()) },
  GROUP,
);
