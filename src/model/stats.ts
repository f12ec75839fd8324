// What a look at the queue from outside shows.

/**
 * What was asked of the provider and what it came to, since the queue or the worker began. As of each
 * worker's last claim; after a lost reply or a crash a part can be counted twice or be missing.
 */
export interface WorkerUsage {
  /** Provider calls made, also those that failed. */
  readonly calls: number;
  /** Texts that came back from the provider as vectors; equal texts of one call count once. */
  readonly texts: number;
  /** Tokens of the calls that came back: as the provider reports them, else estimated. */
  readonly tokens: number;
  /** The part of `tokens` that is an estimate. */
  readonly tokensEstimated: number;
  /** How full the calls were on average, from 0 to 1, by the limit that was nearest; undefined without calls. */
  readonly batchFill: number | undefined;
  /** Texts whose vectors were in the cache. */
  readonly cacheHits: number;
  /** How often a text went back to the queue without a spent attempt, for instance in an outage. */
  readonly deferrals: number;
  /** Failed attempts. */
  readonly failures: number;
  /** Texts that were given up. */
  readonly dead: number;
  /** Claims that brought work, by what made their first text due. */
  readonly claims: ClaimCounts;
}

/** Why work was due: for each reason, how many claims. */
export interface ClaimCounts {
  /** A batch was full. */
  readonly size: number;
  /** The oldest text had waited for `flushIntervalMs`. */
  readonly timer: number;
  /** A flush was asked for, or a worker started. */
  readonly flush: number;
  /** A text came back: after a failure, an outage, a stop or a crash. */
  readonly retry: number;
}

/**
 * The queue's own usage: of all its workers, also of those that are gone, and of its producers. A worker
 * tells what it counted when it next asks for work: at most about 0.1 s later, or when a pause ends.
 */
export interface UsageStats extends WorkerUsage {
  /** Texts that were skipped at the enqueue because their embedding is stored already. */
  readonly skipHits: number;
}

/** A pause that a worker makes by its own fault, for instance with a wrong key; other workers go on. */
export interface WorkerPause {
  /** How long it still lasts, in milliseconds. */
  readonly leftMs: number;
  /** Why: what the embedder said, without texts and credentials, at most 500 characters on one line. */
  readonly reason: string;
}

/** One worker, as Redis knows it. */
export interface WorkerStats {
  /** Its name in the consumer group. */
  readonly name: string;
  /** Texts that it holds. */
  readonly inFlight: number;
  /** How long ago it last came to Redis for work, in milliseconds. */
  readonly idleMs: number;
  /** Its pause by its own fault; undefined where it makes none. */
  readonly pause: WorkerPause | undefined;
  /** What it has counted itself, since it started. */
  readonly usage: WorkerUsage;
}

/** The state of a queue at one moment, counted by Redis in one step. */
export interface QueueStats {
  /** Texts on the stream that no worker was given yet. */
  readonly waiting: number;
  /** Texts in workers' hands. */
  readonly inFlight: number;
  /** Texts in their backoff, or handed back. */
  readonly parked: number;
  /** Everything that is not settled: waiting, in flight and parked. */
  readonly pending: number;
  /** How long the oldest waiting text has waited, in milliseconds; undefined where none waits. */
  readonly oldestWaitingMs: number | undefined;
  /** Dead letters kept. */
  readonly dead: number;
  /** Dead letters that were dropped because more than `maxDeadLetters` came. */
  readonly deadDropped: number;
  /** True while `pause` holds. */
  readonly isPaused: boolean;
  /** How long no worker calls the provider, in milliseconds; 0 where they may. */
  readonly cooldownMs: number;
  /**
   * Why no worker calls: what the embedder said last, without texts and credentials, at most 500
   * characters on one line. Undefined where they may call, or nobody knows.
   */
  readonly cooldownReason: string | undefined;
  /** Every worker that Redis knows. */
  readonly workers: readonly WorkerStats[];
  /** What the queue has cost and saved so far. */
  readonly usage: UsageStats;
}
