// Walks over hashes that are in Redis already: what is asked for, reported, and thrown.

import * as v from "valibot";
import { aFunction, check, GROUP, signal, text, wholeFrom } from "./check.ts";
import { EmbedqError, messageOf } from "./errors.ts";
import type { EnqueueItem } from "./job.ts";
import type { VectorSpace } from "./settings.ts";

/**
 * Finds the texts of destination keys somewhere else than in Redis.
 *
 * @param keys Keys of one page, each once.
 * @returns For each key, in the same order, its text; undefined or null to leave the key alone.
 */
export type TextOf = (
  keys: readonly string[],
) => PromiseLike<readonly (string | null | undefined)[]>;

/** Where a walk finds the text of a destination: in a field of the hash itself, or by asking. */
export type TextSource =
  | {
      /** Field of the destination hash that holds the text. */
      readonly textField: string;
      readonly textOf?: undefined;
    }
  | {
      readonly textField?: undefined;
      /** Called once a page. What it throws ends the walk. */
      readonly textOf: TextOf;
    };

/** Options that both walks share. */
export interface WalkRange {
  /** Pattern of the keys, as Redis' SCAN takes it, for instance `doc:*`. */
  readonly match: string;
  /** Where to go on: the `cursor` of an earlier progress, result or {@link WalkError}. @default from the start */
  readonly cursor?: string | undefined;
  /** Keys that Redis looks at in one step, and about the most that are held in memory. @default 500 */
  readonly pageSize?: number | undefined;
  /** The walk waits while this many texts of the queue are not settled; a page more can come. @default 10000 */
  readonly maxPending?: number | undefined;
  /** Ends the walk after the page under way; the result then has `done: false`. */
  readonly signal?: AbortSignal | undefined;
  /** Called and awaited after each page, so that the cursor can be stored. What it throws ends the walk. */
  readonly onProgress?: ((progress: WalkProgress) => PromiseLike<void> | void) | undefined;
}

/** Options of `reembed`. */
export type ReembedOptions = WalkRange &
  TextSource & {
    /** Whether texts that were given up under the present model are tried again. @default false */
    readonly includeDead?: boolean | undefined;
  };

/** Options of `backfill`. */
export type BackfillOptions = WalkRange & TextSource;

/** How far a walk has come. `matched` is the sum of `enqueued`, `unchanged` and `skipped`. */
export interface WalkProgress {
  /** What to hand in as `cursor` to go on from here. */
  readonly cursor: string;
  /** About how many keys Redis has looked at, whatever their name, since the walk began (again). */
  readonly scanned: number;
  /** How many keys there were when the walk began: SCAN meets them all. */
  readonly total: number;
  /** Hashes that fit the pattern. */
  readonly matched: number;
  /** Texts that were enqueued, blank ones included. */
  readonly enqueued: number;
  /** Nothing to do: the vector is there, or this text or a newer one is outstanding. */
  readonly unchanged: number;
  /** Left alone: without a text, unreadable, given up, or for `reembed` without a vector yet. */
  readonly skipped: number;
  /** How often the walk began again, as Redis was restarted or the model changed; keys then count again. */
  readonly restarts: number;
}

/** How a walk ended. */
export interface WalkResult extends WalkProgress {
  /** True when every key was met; false when the signal ended it before. */
  readonly done: boolean;
}

/** Which hashes a walk is for. */
export type WalkKind = "reembed" | "backfill";

/** A text that was read from elsewhere, and the version that was reserved before that. */
export interface ReadText extends EnqueueItem {
  readonly reserved: number;
}

/**
 * A `reembed` or `backfill` that failed on its way; `cause` says why. What was enqueued stays
 * enqueued, and `progress.cursor` is where to go on.
 *
 * @example
 * ```ts
 * import { type EmbeddingQueue, WalkError } from "embedq";
 *
 * export async function reembedDocs(queue: EmbeddingQueue, cursor?: string): Promise<string | undefined> {
 *   try {
 *     await queue.reembed({ match: "doc:*", textField: "body", cursor });
 *     return undefined;
 *   } catch (error) {
 *     if (error instanceof WalkError) return error.progress.cursor;
 *     throw error;
 *   }
 * }
 * ```
 */
export class WalkError extends EmbedqError {
  /** How far it came; its cursor is that of the page that failed. */
  readonly progress: WalkProgress;

  /**
   * A walk that was cut.
   *
   * @param kind Which walk it was.
   * @param progress How far it came.
   * @param cause What went wrong.
   */
  constructor(kind: "reembed" | "backfill", progress: WalkProgress, cause: unknown) {
    const { enqueued, matched } = progress;
    const far = `it failed after ${matched} hashes, ${enqueued} enqueued`;
    super("ERR_WALK_FAILED", `Cannot ${kind} all hashes as ${far}: ${messageOf(cause)}`, { cause });
    this.name = "WalkError";
    this.progress = progress;
  }
}

/** Options with defaults filled in. */
export interface WalkPlan {
  readonly match: string;
  readonly cursor: string | undefined;
  readonly pageSize: number;
  readonly maxPending: number;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: WalkRange["onProgress"];
  readonly textField: string | undefined;
  readonly textOf: TextOf | undefined;
  readonly includeDead: boolean;
}

/** @throws {EmbedqError} `ERR_OPTION_INVALID`. */
export function checkWalk(kind: WalkKind, options: ReembedOptions): WalkPlan {
  const plan = check(kind === "reembed" ? reembedSchema : backfillSchema, options, "");
  const { cursor, signal: stop, onProgress, textField, textOf } = plan;
  if ((textField === undefined) === (textOf === undefined)) {
    throw new EmbedqError(
      "ERR_OPTION_INVALID",
      `Cannot find texts as one of \`textField\` and \`textOf\` must be given: ${textOf === undefined ? "none is" : "both are"}`,
    );
  }
  return { includeDead: false, ...plan, cursor, signal: stop, onProgress, textField, textOf };
}

/** @throws {EmbedqError} `ERR_OPTION_INVALID` where there is nothing to compare vectors with. */
export function checkModel(kind: WalkKind, space: VectorSpace | undefined): void {
  if (kind === "backfill" || space !== undefined) return;
  throw new EmbedqError(
    "ERR_OPTION_INVALID",
    "Cannot reembed as the queue must have a model: nobody has named one. Start a worker first, or give `model` and `dimensions`",
  );
}

const backfillEntries = {
  match: text(/./s, "a pattern like doc:*"),
  textField: v.optional(text(/./s, "a field's name")),
  textOf: v.optional(aFunction<TextOf>()),
  cursor: v.optional(text(/^\d{1,20}-[0-9a-f]{16}$/, "one that a walk has reported")),
  pageSize: v.optional(wholeFrom(1, 10_000), 500),
  maxPending: v.optional(wholeFrom(1), 10_000),
  signal: v.optional(signal),
  onProgress: v.optional(aFunction<NonNullable<WalkRange["onProgress"]>>()),
};
const backfillSchema = v.strictObject(backfillEntries, GROUP);
const reembedSchema = v.strictObject(
  { ...backfillEntries, includeDead: v.optional(v.boolean("must be true or false"), false) },
  GROUP,
);
