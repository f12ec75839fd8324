// What flows through the stages, and the life of one text:
//
//   enqueue ─▶ waiting ─▶ in flight ─▶ written ─▶ settled (nothing left in the queue)
//                ▲            │
//                └── parked ◀─┘  failed, handed back or deferred: due again after its backoff
//
// The state itself lives in Redis (docs/PROTOCOL.md); these are only the values passed along.

/** One thing to embed: the Redis hash that receives the vector, and the text. */
export interface EnqueueItem {
  /** Key of the destination hash. */
  readonly key: string;
  /** The text to embed; blank text gets a zero vector without a provider call. */
  readonly text: string;
}

/** How a claimed entry is to be treated. */
export type ClaimKind =
  /** In a batch with others. */
  | "embed"
  /** Alone, with nothing else in flight in this worker: it may have killed its last two workers. */
  | "solo"
  /** Not at all: its attempts or its deliveries are used up. */
  | "giveUp";

/** One text that this worker holds by its lease. */
export interface Job {
  readonly kind: ClaimKind;
  /** The stream entry that stands for the work. */
  readonly entryId: string;
  /** Key of the destination hash. */
  readonly key: string;
  /** The version that this text was accepted with; larger is newer. */
  readonly version: number;
  readonly text: string;
  /** Failed attempts so far. */
  readonly attempts: number;
  /** Deliveries that have not come back, this one included. */
  readonly deliveries: number;
}

/** What became of one job at the embedder. */
export type JobResult =
  | {
      readonly status: "embedded";
      readonly job: Job;
      readonly vector: Uint8Array;
      /** What was sent for it: the text, or what was left of it; undefined where it went in pieces. */
      readonly sent: string | undefined;
    }
  /** Refused for good while alone in its call. */
  | { readonly status: "rejected"; readonly job: Job; readonly error: Error }
  /** One attempt is spent. */
  | { readonly status: "failed"; readonly job: Job; readonly error: Error }
  /** No attempt is spent: the provider or the worker is at fault. */
  | { readonly status: "deferred"; readonly job: Job; readonly error: Error };
