// The producer's door, which may hold a worker: enqueue, wait and flush; looking after the queue
// stands in upkeep.ts.

import { Drain } from "./drain.ts";
import { flushAndWait, flushNow } from "./flow/flush.ts";
import { acceptItems, takeOverWork, walkHashes } from "./intake.ts";
import { EmbedqError } from "./model/errors.ts";
import { checkListener } from "./model/event-names.ts";
import { EventEmitter, type EventListener, type EventName } from "./model/events.ts";
import {
  checkBounds,
  checkEnqueueOptions,
  checkKey,
  checkVersion,
  type EnqueueOptions,
  type FlushOptions,
} from "./model/input.ts";
import type { EnqueueItem } from "./model/job.ts";
import { Lifecycle, Wakeup } from "./model/lifecycle.ts";
import {
  type CommonOptions,
  type ConsumerOptions,
  type ModelOptions,
  type ProducerOptions,
  type ResolvedOptions,
  resolveOptions,
} from "./model/options.ts";
import type { FlushResult } from "./model/outcome.ts";
import type { TakeOverOptions, TakeOverResult } from "./model/takeover.ts";
import type { BackfillOptions, ReembedOptions, WalkResult } from "./model/walk.ts";
import { checkRedisOption, type RedisOption, Session } from "./session.ts";
import { Ticket, type TicketData } from "./ticket.ts";
import { QueueUpkeep } from "./upkeep.ts";

/** Options of an {@link EmbeddingQueue}. */
export interface QueueOptions
  extends CommonOptions,
    ProducerOptions,
    ConsumerOptions,
    ModelOptions {
  /** A URL, options of node-redis, or a connected client of node-redis 4, 5 or 6, which stays yours. */
  readonly redis: RedisOption;
}

/**
 * A queue of texts to embed. With an embedder it also drains; without, it only produces and waits,
 * and workers elsewhere drain.
 *
 * @example
 * ```ts
 * import { EmbeddingQueue } from "embedq";
 * import { hashing } from "embedq/providers";
 *
 * const queue = new EmbeddingQueue({
 *   redis: "redis://127.0.0.1:6379",
 *   embedder: hashing({ dimensions: 256 }),
 *   flushIntervalMs: 1000,
 * });
 * await queue.start();
 * const ticket = await queue.enqueue("doc:1", "Streams keep order");
 * console.log(await ticket.embedding());
 * await queue.stop();
 * ```
 */
export class EmbeddingQueue extends QueueUpkeep {
  readonly #redis: RedisOption;
  readonly #options: ResolvedOptions;
  readonly #events = new EventEmitter();
  readonly #life = new Lifecycle("queue");
  #session: Session | undefined;
  #drain: Drain | undefined;

  /**
   * Describes the queue; nothing is connected before it starts.
   *
   * @throws {EmbedqError} `ERR_OPTION_INVALID`.
   */
  constructor(options: QueueOptions) {
    super((action) => this.#open(action));
    this.#options = resolveOptions(options);
    checkRedisOption(options.redis);
    this.#redis = options.redis;
  }

  /** Listens to an event; returns the function that ends it. A listener that throws harms nothing. */
  on<Name extends EventName>(event: Name, listener: EventListener<Name>): () => void {
    checkListener(event, listener);
    return this.#events.on(event, listener);
  }

  /**
   * Connects, agrees on the queue's settings and, with an embedder, drains what an earlier run left
   * behind. May be called again after it failed.
   *
   * @throws {EmbedqError} `ERR_REDIS_UNAVAILABLE`, `ERR_SETTINGS_CONFLICT`, `ERR_PROTOCOL_NEWER`,
   *   `ERR_STOPPED`; with `mustExist`, `ERR_QUEUE_MISSING`.
   */
  start(): Promise<void> {
    return this.#life.start(async () => {
      const session = await Session.open(this.#redis, this.#options, this.#events);
      try {
        const { embedder } = this.#options;
        if (embedder !== undefined) {
          const drain = new Drain(session, embedder);
          await drain.start();
          this.#drain = drain;
        }
        this.#session = session;
      } catch (error) {
        await session.close(new EmbedqError("ERR_NOT_STARTED", "The queue did not start"));
        throw error;
      }
    });
  }

  /**
   * Stops draining as {@link EmbeddingWorker.stop} does, ends outstanding waits with `ERR_STOPPED`,
   * and disconnects. Everything that is not settled stays in Redis for the next start.
   */
  stop(): Promise<void> {
    return this.#life.stop(async () => {
      await this.#drain?.stop();
      await this.#session?.close(new EmbedqError("ERR_STOPPED", "The queue was stopped"));
    });
  }

  /** {@link EmbeddingQueue.stop}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /**
   * Accepts one text for a destination. When this returns, the text is in Redis; a newer text for
   * the same key takes its place, the same text again gives the same ticket.
   *
   * @throws {EmbedqError} `ERR_INPUT_INVALID` before anything is written; `ERR_REDIS_UNAVAILABLE`, `ERR_REDIS_REPLY`.
   */
  async enqueue(key: string, text: string): Promise<Ticket> {
    const [ticket] = await this.enqueueMany([{ key, text }]);
    return ticket as Ticket;
  }

  /**
   * Accepts many texts, in as few trips as their size allows.
   *
   * @returns One ticket for each item, in the same order.
   * @throws {EmbedqError} `ERR_INPUT_INVALID`, `ERR_OPTION_INVALID` before anything is written; what went wrong where nothing was accepted.
   * @throws {EnqueueError} `ERR_ENQUEUE_FAILED` where it fails in the middle; it carries the tickets already made.
   */
  async enqueueMany(items: readonly EnqueueItem[], options?: EnqueueOptions): Promise<Ticket[]> {
    const { signal } = checkEnqueueOptions(options);
    return acceptItems(this.#open("enqueue"), items, signal, (text) => this.#ticket(text));
  }

  /**
   * Enqueues the texts of all destinations that hold another vector than the present model would
   * give: after a change of the model, or of texts that were not enqueued. Texts that are enqueued
   * meanwhile are newer and win. Fewer than `maxBatchSize` wait as any text does.
   *
   * @throws {EmbedqError} `ERR_OPTION_INVALID`, also where the queue has no model yet; `ERR_SETTINGS_CONFLICT`.
   * @throws {WalkError} `ERR_WALK_FAILED` where it fails on its way; it carries the cursor to go on from.
   */
  async reembed(options: ReembedOptions): Promise<WalkResult> {
    return walkHashes(this.#open("reembed"), "reembed", options, this.#life.signal);
  }

  /**
   * Enqueues the texts of all hashes that have no vector yet, and touches no other.
   *
   * @throws {EmbedqError} `ERR_OPTION_INVALID`, `ERR_SETTINGS_CONFLICT`.
   * @throws {WalkError} `ERR_WALK_FAILED` where it fails on its way; it carries the cursor to go on from.
   */
  async backfill(options: BackfillOptions): Promise<WalkResult> {
    return walkHashes(this.#open("backfill"), "backfill", options, this.#life.signal);
  }

  /**
   * Moves what a queue of the Python module (sorted sets `embed_queue:pending` and `:inflight`) has not
   * embedded yet into this queue, each text as of the time when it was enqueued there: what embedq was
   * given later for the same key wins. The module may go on meanwhile; this acts like one of its workers.
   * May run twice at once, and again after a crash: what it had claimed is taken up again after
   * `inFlightAfterMs`. On a single Redis, not on a cluster.
   *
   * @throws {EmbedqError} `ERR_OPTION_INVALID`; `ERR_REDIS_UNAVAILABLE`, `ERR_REDIS_REPLY`; `ERR_STOPPED`.
   */
  async takeOver(options?: TakeOverOptions): Promise<TakeOverResult> {
    return takeOverWork(this.#open("take over"), options, this.#life.signal);
  }

  /** The ticket of an earlier `enqueue`, from what was stored of it: works in any process of the queue. */
  ticket(key: string, version: number): Ticket {
    return this.#ticket({ key: checkKey(key), version: checkVersion(version) });
  }

  /** Makes everything due that waits now, also in workers elsewhere; does not wait for it. */
  async flushNow(): Promise<void> {
    await flushNow(this.#open("flush").link);
  }

  /**
   * Makes everything due that waits now, and waits until all that was outstanding at this moment is
   * settled, in whichever process.
   *
   * @returns Whether all of it is done, and how many texts are left where the time ran out.
   */
  async flushAndWait(options?: FlushOptions): Promise<FlushResult> {
    const { timeoutMs = 15_000, signal = this.#life.signal } = checkBounds(options);
    const session = this.#open("flush");
    const wakeup = new Wakeup();
    const unhook = session.onRing((word) => {
      if (word === "flushed") wakeup.ring();
    });
    const either = AbortSignal.any([signal, this.#life.signal]);
    try {
      return await flushAndWait(session.link, wakeup, timeoutMs, either);
    } catch (error) {
      // A stop cuts the connection under a command: the stop is the reason.
      either.throwIfAborted();
      throw error;
    } finally {
      unhook();
    }
  }

  #open(action: string): Session {
    this.#life.assertRunning(action);
    return this.#session as Session;
  }

  #ticket(data: TicketData): Ticket {
    return new Ticket(data, async ({ key, version }, options) => {
      const bounds = checkBounds(options);
      const session = this.#open("wait");
      session.prepareWaits();
      return session.waits.wait(key, version, bounds);
    });
  }
}
