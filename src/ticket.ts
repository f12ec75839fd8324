// What a producer holds for a text it has enqueued.

import type { WaitOptions } from "./flow/wait.ts";
import { EmbedqError } from "./model/errors.ts";
import type { Outcome } from "./model/outcome.ts";

/** A ticket as plain data, to be stored or sent and asked again by another process. */
export interface TicketData {
  /** Key of the destination hash. */
  readonly key: string;
  /** The version that the text was accepted with. */
  readonly version: number;
}

/**
 * Stands for one accepted text. A ticket that nobody asks costs nothing, whatever becomes of the text.
 *
 * @example
 * ```ts
 * import type { EmbeddingQueue } from "embedq";
 *
 * export async function embed(queue: EmbeddingQueue, key: string, text: string) {
 *   const ticket = await queue.enqueue(key, text);
 *   return await ticket.embedding({ timeoutMs: 30_000 });
 * }
 * ```
 */
export class Ticket implements TicketData {
  /** Key of the destination hash. */
  readonly key: string;
  /** The version that the text was accepted with; a newer text of the same key has a larger one. */
  readonly version: number;
  readonly #wait: (ticket: TicketData, options: WaitOptions | undefined) => Promise<Outcome>;

  /** @internal Tickets come from `enqueue`, `enqueueMany` and `ticket` of a queue. */
  constructor(
    { key, version }: TicketData,
    wait: (ticket: TicketData, options: WaitOptions | undefined) => Promise<Outcome>,
  ) {
    this.key = key;
    this.version = version;
    this.#wait = wait;
  }

  /**
   * Waits until the text's fate is decided, in whichever process that happens.
   *
   * @throws {EmbedqError} `ERR_WAIT_TIMEOUT` after `timeoutMs`; `ERR_OPTION_INVALID`; `ERR_STOPPED` when
   *   the queue object is stopped; `ERR_EMBEDDING_CORRUPT` when the stored vector has the wrong size.
   *   The signal's reason when it is raised.
   */
  outcome(options?: WaitOptions): Promise<Outcome> {
    return this.#wait(this, options);
  }

  /**
   * Waits for the embedding: the short form of {@link Ticket.outcome}. Blank and dead texts give
   * the zero vector, a superseded text gives the newer one's.
   *
   * @throws {EmbedqError} As `outcome`; also `ERR_EMBEDDING_GONE` when nothing will be stored, and
   *   `ERR_EMBEDDING_UNSET` for a dead text where `onDead` is `"unset"`.
   */
  async embedding(options?: WaitOptions): Promise<Float32Array> {
    const outcome = await this.outcome(options);
    const name = JSON.stringify(this.key);
    if (outcome.status === "gone") {
      throw new EmbedqError(
        "ERR_EMBEDDING_GONE",
        `Cannot give the embedding of ${name} as nothing is stored or outstanding: it was cancelled, skipped or deleted`,
      );
    }
    if (outcome.embedding === undefined) {
      throw new EmbedqError(
        "ERR_EMBEDDING_UNSET",
        `Cannot give the embedding of ${name} as the text was given up: see its dead letter`,
      );
    }
    return outcome.embedding;
  }

  /** Key and version, for `JSON.stringify`. */
  toJSON(): TicketData {
    return { key: this.key, version: this.version };
  }
}
