// The consumer's door: a process that only drains.

import { Drain } from "./drain.ts";
import { EmbedqError } from "./model/errors.ts";
import { checkListener } from "./model/event-names.ts";
import { EventEmitter, type EventListener, type EventName } from "./model/events.ts";
import { Lifecycle } from "./model/lifecycle.ts";
import {
  type CommonOptions,
  type ConsumerOptions,
  type ModelOptions,
  type ResolvedOptions,
  resolveOptions,
} from "./model/options.ts";
import { checkRedisOption, type RedisOption, Session } from "./session.ts";

/** Options of an {@link EmbeddingWorker}. */
export interface WorkerOptions extends CommonOptions, ConsumerOptions, ModelOptions {
  /** A URL, options of node-redis, or a connected client of node-redis 4, 5 or 6, which stays yours. */
  readonly redis: RedisOption;
}

/**
 * Drains a queue: claims texts in full batches, embeds them, and writes the vectors into their
 * destinations. Any number of workers, in any number of processes, share one queue.
 *
 * @example
 * ```ts
 * import { EmbeddingWorker } from "embedq";
 * import { hashing } from "embedq/providers";
 *
 * const worker = new EmbeddingWorker({
 *   redis: "redis://127.0.0.1:6379",
 *   embedder: hashing({ dimensions: 256 }),
 * });
 * await worker.start();
 * // … until the process is told to end:
 * await worker.stop();
 * ```
 */
export class EmbeddingWorker {
  readonly #redis: RedisOption;
  readonly #options: ResolvedOptions;
  readonly #events = new EventEmitter();
  readonly #life = new Lifecycle("worker");
  #session: Session | undefined;
  #drain: Drain | undefined;

  /**
   * Describes the worker; nothing is connected before it starts.
   *
   * @throws {EmbedqError} `ERR_OPTION_INVALID`.
   */
  constructor(options: WorkerOptions) {
    this.#options = resolveOptions(options);
    checkRedisOption(options.redis);
    this.#redis = options.redis;
    if (this.#options.embedder === undefined) {
      throw new EmbedqError(
        "ERR_OPTION_INVALID",
        "Cannot use the option `embedder` as a worker must have one: it is missing",
      );
    }
  }

  /** Listens to an event; returns the function that ends it. A listener that throws harms nothing. */
  on<Name extends EventName>(event: Name, listener: EventListener<Name>): () => void {
    checkListener(event, listener);
    return this.#events.on(event, listener);
  }

  /**
   * Connects, agrees on the queue's settings, recovers what an earlier run left, and works until
   * {@link EmbeddingWorker.stop}. May be called again after it failed.
   *
   * @throws {EmbedqError} `ERR_REDIS_UNAVAILABLE`, `ERR_SETTINGS_CONFLICT`, `ERR_PROTOCOL_NEWER`, `ERR_STOPPED`.
   */
  start(): Promise<void> {
    return this.#life.start(async () => {
      const { embedder } = this.#options;
      if (embedder === undefined) return;
      const session = await Session.open(this.#redis, this.#options, this.#events);
      const drain = new Drain(session, embedder);
      try {
        await drain.start();
      } catch (error) {
        await session.close(new EmbedqError("ERR_NOT_STARTED", "The worker did not start"));
        throw error;
      }
      this.#session = session;
      this.#drain = drain;
    });
  }

  /**
   * Claims no more, waits for calls in flight up to `stopTimeoutMs`, hands the rest back so that
   * another worker can take it at once, and disconnects. Work that is left stays in Redis.
   */
  stop(): Promise<void> {
    return this.#life.stop(async () => {
      await this.#drain?.stop();
      await this.#session?.close(new EmbedqError("ERR_STOPPED", "The worker was stopped"));
    });
  }

  /** {@link EmbeddingWorker.stop}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
