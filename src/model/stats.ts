// What a look at the queue from outside shows.

/** One worker, as Redis knows it. */
export interface WorkerStats {
  /** Its name in the consumer group. */
  readonly name: string;
  /** Texts that it holds. */
  readonly inFlight: number;
  /** How long ago it last came to Redis for work, in milliseconds. */
  readonly idleMs: number;
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
  /** Every worker that Redis knows. */
  readonly workers: readonly WorkerStats[];
}
