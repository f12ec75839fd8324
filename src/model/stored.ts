// What destinations hold, read without a ticket: by key, or all under a pattern.

import * as v from "valibot";
import { check, GROUP, signal, text, wholeFrom } from "./check.ts";
import { EmbedqError } from "./errors.ts";
import { fromVectorBytes, isWholeVector } from "./vector.ts";

/** What a destination hash holds. */
export interface StoredEmbedding {
  /** Key of the hash. */
  readonly key: string;
  /** How its text ended; undefined for a vector that another system wrote. */
  readonly status: "embedded" | "blank" | "dead" | undefined;
  /** The version that produced it; undefined where there is none, or no whole number. */
  readonly version: number | undefined;
  /** Which text it is of: the first 32 hex digits of SHA-256 over model, dimensions, task and text. */
  readonly source: string | undefined;
  /**
   * The vector as it is stored, whatever its size: that of an earlier model may have another than the
   * queue's. Undefined where there is none.
   */
  readonly embedding: Float32Array | undefined;
  /** The further fields that were asked for and are there. */
  readonly fields: Readonly<Record<string, string>>;
}

/** What else to read of a destination. */
export interface StoredOptions {
  /** Names of further fields of the hash, read as UTF-8 text. @default none */
  readonly fields?: readonly string[] | undefined;
}

/** Which embeddings to read. */
export interface EmbeddingsQuery extends StoredOptions {
  /** Pattern of the keys, as Redis' SCAN takes it, for instance `doc:*`. @default "*" */
  readonly match?: string | undefined;
  /** Keys that Redis looks at in one step, and about the most vectors that are held in memory. @default 500 */
  readonly pageSize?: number | undefined;
  /** Ends the reading before the next page when raised: the loop throws its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** A query with defaults filled in. */
export interface StoredPlan {
  readonly match: string;
  readonly pageSize: number;
  readonly fields: readonly string[];
  readonly signal: AbortSignal | undefined;
}

/** The fields of a hash as they are stored; undefined for those that are not there. */
export interface StoredFields {
  readonly status: string | undefined;
  readonly version: string | undefined;
  readonly source: string | undefined;
  readonly vector: Uint8Array | undefined;
  readonly others: ReadonlyMap<string, string | undefined>;
}

/** @throws {EmbedqError} `ERR_OPTION_INVALID`. */
export function checkStoredQuery(query: EmbeddingsQuery = {}): StoredPlan {
  const { signal: stop, ...plan } = check(querySchema, query, "");
  return { ...plan, signal: stop };
}

/** @throws {EmbedqError} `ERR_OPTION_INVALID`. */
export function checkStoredOptions(options: StoredOptions = {}): readonly string[] {
  return check(v.strictObject(optionEntries, GROUP), options, "").fields;
}

/**
 * What the fields say; undefined where there is none of them.
 *
 * @throws {EmbedqError} `ERR_EMBEDDING_CORRUPT` where the bytes are no vector of any size.
 */
export function storedOf(key: string, fields: StoredFields): StoredEmbedding | undefined {
  const { status, version, source, vector, others } = fields;
  if ([status, version, source, vector].every((field) => field === undefined)) return undefined;
  if (vector !== undefined && !isWholeVector(vector)) {
    throw new EmbedqError(
      "ERR_EMBEDDING_CORRUPT",
      `Cannot read the embedding of ${JSON.stringify(key)} as it must have a multiple of 4 bytes: it has ${vector.length}`,
    );
  }
  const isKnown = status === "embedded" || status === "blank" || status === "dead";
  const number = /^\d+$/.test(version ?? "") ? Number(version) : undefined;
  return {
    key,
    status: isKnown ? status : undefined,
    version: Number.isSafeInteger(number) ? number : undefined,
    source,
    embedding: vector && fromVectorBytes(vector),
    // Built from entries: a field may be called __proto__.
    fields: Object.fromEntries([...others].filter(isThere)),
  };
}

function isThere(entry: [string, string | undefined]): entry is [string, string] {
  return entry[1] !== undefined;
}

/** Whether the fields hold a vector of whatever size. */
export function hasVector({ vector }: StoredFields): boolean {
  return vector !== undefined && isWholeVector(vector);
}

const optionEntries = {
  fields: v.optional(v.array(text(/./s, "a name of a field"), "must be a list of names"), []),
};

const querySchema = v.strictObject(
  {
    ...optionEntries,
    match: v.optional(text(/./s, "a pattern like doc:*"), "*"),
    pageSize: v.optional(wholeFrom(1, 10_000), 500),
    signal: v.optional(signal),
  },
  GROUP,
);
