// What all processes of one queue must agree on. It is stored in Redis and read by the scripts,
// so that a decision made there is the same whoever asks.

/** The version of the data layout and the scripts; a process refuses a queue with a newer one. */
export const PROTOCOL = 1;

/** The settings that the scripts decide by. */
export interface QueueSettings {
  /** Texts that start a drain as soon as they wait, and the most that one claim takes. @default 50 */
  readonly maxBatchSize: number;
  /** How long the oldest text waits before a batch that is not full is drained, in milliseconds. @default 3600000 */
  readonly flushIntervalMs: number;
  /** How long a claim holds without renewal before another worker may take it over, in milliseconds. @default 60000 */
  readonly leaseMs: number;
  /** Failed attempts after which a text is given up. @default 3 */
  readonly maxAttempts: number;
  /** Dead letters kept; older ones are dropped and counted. @default 10000 */
  readonly maxDeadLetters: number;
  /** Field of the destination hash that receives the vector; the names of its companions derive from it. @default "embedding" */
  readonly field: string;
}

/** Flush interval, batch size and attempts are those of the system that embedq replaces. */
export const DEFAULT_SETTINGS: QueueSettings = {
  maxBatchSize: 50,
  flushIntervalMs: 3_600_000,
  leaseMs: 60_000,
  maxAttempts: 3,
  maxDeadLetters: 10_000,
  field: "embedding",
};

/** What makes vectors comparable: all vectors of a queue share one vector space. */
export interface VectorSpace {
  /** Name of the model. */
  readonly model: string;
  /** Numbers in each vector. */
  readonly dimensions: number;
  /** What the vectors are for, where a provider embeds for several tasks; empty where it does not. */
  readonly task: string;
}

/** Settings as they stand in Redis. */
export interface StoredSettings extends QueueSettings {
  /** Unknown until a process with an embedder has started, or a producer has named it. */
  readonly space: VectorSpace | undefined;
}

/** The same names, each of which may be left out or undefined. */
export type Optional<T> = { readonly [Name in keyof T]?: T[Name] | undefined };

/** What a process asks for by name; what it leaves out it adopts. */
export interface RequestedSettings extends Optional<QueueSettings>, Optional<VectorSpace> {}

/** The space as one string, the way the scripts compare it; empty where it is unknown. */
export function spaceTag(space: VectorSpace | undefined): string {
  return space === undefined ? "" : `${space.model}\n${space.dimensions}\n${space.task}`;
}
