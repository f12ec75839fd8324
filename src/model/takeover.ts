// Taking over the work of the Python module that embedq replaces: what is asked for and reported, and
// how a member of its sorted sets is read.

import * as v from "valibot";
import { check, GROUP, keyName, MAX_TIMER_MS, signal, wholeFrom } from "./check.ts";
import { EmbedqError } from "./errors.ts";
import { checkItems } from "./input.ts";
import type { EnqueueItem } from "./job.ts";

/** Options of `takeOver`. */
export interface TakeOverOptions {
  /** What the module's keys begin with: `<prefix>:pending` and so on. @default "embed_queue" */
  readonly prefix?: string | undefined;
  /**
   * Age in milliseconds from which on a text that a worker of the module has claimed is taken too: the
   * worker counts as dead. Younger ones are left. The module itself uses five minutes.
   * @default 300000
   */
  readonly inFlightAfterMs?: number | undefined;
  /** Texts taken in one step, and the most that are held in memory. @default 100 */
  readonly chunkSize?: number | undefined;
  /** Ends it after the step under way; the result then has `done: false`. */
  readonly signal?: AbortSignal | undefined;
  /** Called and awaited after each step. What it throws ends the take-over. */
  readonly onProgress?: ((progress: TakeOverProgress) => PromiseLike<void> | void) | undefined;
}

/** How far a take-over has come. */
export interface TakeOverProgress {
  /** Texts that were enqueued, blank ones included. */
  readonly enqueued: number;
  /** Texts taken from the module that embedq had already, or for whose key it has a newer one. */
  readonly known: number;
  /** Texts dropped as the module itself held a newer one of their key. */
  readonly superseded: number;
  /** Members that are no texts for embedq; they are left where they are. */
  readonly malformed: number;
  /** Of the malformed members, the first ten. */
  readonly problems: readonly TakeOverProblem[];
}

/** A member that was left where it is. */
export interface TakeOverProblem {
  /** The sorted set that it stands in. */
  readonly where: "pending" | "inflight";
  /** What is wrong with it; shows no text. */
  readonly reason: string;
}

/** How a take-over ended. */
export interface TakeOverResult extends TakeOverProgress {
  /** Texts in the hands of workers of the module that may be alive. */
  readonly left: number;
  /** True when everything that could be taken was; false when the signal ended it before. */
  readonly done: boolean;
}

/** Options with defaults filled in. */
export interface TakeOverPlan {
  readonly prefix: string;
  readonly inFlightAfterMs: number;
  readonly chunkSize: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: TakeOverOptions["onProgress"];
}

const schema = v.strictObject(
  {
    prefix: v.optional(keyName, "embed_queue"),
    inFlightAfterMs: v.optional(wholeFrom(0, MAX_TIMER_MS), 300_000),
    chunkSize: v.optional(wholeFrom(1, 1000), 100),
    signal: v.optional(signal),
    onProgress: v.optional(
      v.custom<NonNullable<TakeOverOptions["onProgress"]>>(
        (value) => typeof value === "function",
        "must be a function",
      ),
    ),
  },
  GROUP,
);

/** @throws {EmbedqError} `ERR_OPTION_INVALID`. */
export function checkTakeOver(options: TakeOverOptions | undefined): TakeOverPlan {
  return check(schema, options ?? {}, "");
}

const strictDecoder = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

/** The item that a member stands for, or why it is none. */
export function readMember(
  member: Uint8Array,
  reservedPrefix: string,
): EnqueueItem | { readonly reason: string } {
  let parsed: unknown;
  try {
    parsed = JSON.parse(strictDecoder.decode(member));
  } catch {
    // The parser's own words may show a text.
    return { reason: "it must be JSON in UTF-8" };
  }
  const { redis_key: key, text } = (parsed ?? {}) as { redis_key?: unknown; text?: unknown };
  const item = { key, text } as EnqueueItem;
  try {
    checkItems([item], reservedPrefix);
  } catch (error) {
    if (!(error instanceof EmbedqError)) throw error;
    return {
      reason: error.message.replace("`key` of item 0", "`redis_key`").replace(" of item 0", ""),
    };
  }
  return item;
}

/**
 * The version of a text that was enqueued at a time of the module's: as a text of embedq's of that moment.
 *
 * @param since Seconds since 1970, as Redis spells a score.
 * @param latest The version that was reserved; a clock that is ahead gives no larger one.
 */
export function versionOfScore(since: string, latest: number): number {
  const us = Math.round(Number(since) * 1_000_000);
  if (Number.isFinite(us)) return Math.max(1, Math.min(us, latest));
  return since.startsWith("-") ? 1 : latest;
}
