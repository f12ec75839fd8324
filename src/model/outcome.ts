// How the wait for one text ends, and what the other questions about a key answer.

import { EmbedqError } from "./errors.ts";
import { FLOAT_BYTES, fromVectorBytes, isWholeVector } from "./vector.ts";

/** How the wait for a ticket ended. */
export type Outcome = SettledOutcome | GoneOutcome;

/** The destination holds this text's result, or that of a newer text. */
export type SettledOutcome = EmbeddedOutcome | DeadOutcome;

/** What all settled outcomes tell. */
export interface Settled {
  /** Key of the destination hash. */
  readonly key: string;
  /** The version that the destination holds. */
  readonly version: number;
  /** True when a newer text of the same key has taken this one's place; the result is the newer one's. */
  readonly superseded: boolean;
}

/** The text has its vector. */
export interface EmbeddedOutcome extends Settled {
  /** `embedded`: a vector of the provider. `blank`: the text was blank, the vector is zero. */
  readonly status: "embedded" | "blank";
  /** The stored vector. */
  readonly embedding: Float32Array;
}

/** The text was given up: see the dead letters. */
export interface DeadOutcome extends Settled {
  /** In the place of a vector there is a dead letter. */
  readonly status: "dead";
  /** The zero vector; undefined where a dead text leaves it unset (`onDead: "unset"`). */
  readonly embedding: Float32Array | undefined;
}

/** Nothing at least as new is stored or outstanding. */
export interface GoneOutcome {
  /** Cancelled, skipped, deleted or evicted, or lost together with Redis' own data. */
  readonly status: "gone";
  /** Key of the destination hash. */
  readonly key: string;
}

/** What a cancel found: the work waited, was in a worker's hands (its result may still arrive), or was absent. */
export type CancelResult = "waiting" | "inFlight" | "absent";

/** How a `flushAndWait` ended. */
export interface FlushResult {
  /** True when everything that was outstanding at the call is settled. */
  readonly done: boolean;
  /** How many of those texts are not settled. */
  readonly remaining: number;
}

/** One text that was given up, with the reason. */
export interface DeadLetter {
  /** The letter's own ID. */
  readonly id: string;
  /** When it was written, in milliseconds since 1970 by Redis' clock. */
  readonly deadAt: number;
  /** Why: the embedder's message, or `malformed` or `damaged` for data that embedq did not write. */
  readonly reason: string;
  /** Key of the destination; undefined for a malformed entry. */
  readonly key: string | undefined;
  /** The text; undefined for malformed or damaged data. */
  readonly text: string | undefined;
  /** The version that the text was accepted with. */
  readonly version: number | undefined;
  /** Failed attempts. */
  readonly attempts: number;
  /** Content of a malformed entry, as JSON. */
  readonly raw: string | undefined;
}

/** What became of a dead letter that was sent back; `superseded`: a newer text took its place, the letter is removed. */
export type SendBackResult =
  | { readonly status: "queued"; readonly key: string; readonly version: number }
  | { readonly status: "superseded" | "absent" | "malformed" };

/** What a destination holds. */
export interface StoredResult {
  /** 0 where none is stored. */
  readonly version: number;
  readonly status: string | undefined;
  readonly vector: Uint8Array | undefined;
}

/**
 * The outcome of a ticket whose destination is at least as new.
 *
 * @param dimensions Undefined where nobody has named a model yet.
 * @throws {EmbedqError} `ERR_EMBEDDING_CORRUPT`.
 */
export function outcomeOf(
  key: string,
  version: number,
  stored: StoredResult,
  dimensions: number | undefined,
): Outcome {
  const { status, vector } = stored;
  const settled = { key, version: stored.version, superseded: stored.version > version };
  if (status !== "embedded" && status !== "blank" && status !== "dead") {
    return { status: "gone", key };
  }
  if (vector === undefined) {
    // Only a dead text may have no vector; otherwise somebody has taken it away.
    if (status !== "dead") return { status: "gone", key };
    return { status, ...settled, embedding: undefined };
  }
  checkSize(key, vector, dimensions);
  return { status, ...settled, embedding: fromVectorBytes(vector) };
}

function checkSize(key: string, vector: Uint8Array, dimensions: number | undefined): void {
  const wanted = dimensions === undefined ? undefined : dimensions * FLOAT_BYTES;
  const isWhole = isWholeVector(vector);
  if (isWhole && (wanted ?? vector.length) === vector.length) return;
  throw new EmbedqError(
    "ERR_EMBEDDING_CORRUPT",
    `Cannot read the embedding of ${JSON.stringify(key)} as it must have ${wanted ?? "a multiple of 4"} bytes: it has ${vector.length}`,
  );
}
