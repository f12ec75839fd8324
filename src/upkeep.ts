// What looks after a queue, whoever works on it: its state and settings, pauses, cancelled work,
// dead letters. The queue's door extends it.

import { deleteLetters, listLetters, sendBackLetter, sendBackLetters } from "./flow/letters.ts";
import { purgeWork } from "./flow/purge.ts";
import { setPaused } from "./flow/settings.ts";
import { readEmbedding, readEmbeddings } from "./flow/stored.ts";
import { cancelWork, readStats } from "./flow/tidy.ts";
import {
  checkBulk,
  type PurgeOptions,
  type PurgeResult,
  type SendBackAllOptions,
  type SendBackAllResult,
} from "./model/bulk.ts";
import {
  checkKey,
  checkLetterId,
  checkLetterIds,
  checkLetterQuery,
  type DeadLetterQuery,
} from "./model/input.ts";
import { checkSettings } from "./model/options.ts";
import type { CancelResult, DeadLetter, SendBackResult } from "./model/outcome.ts";
import type { RequestedSettings, StoredSettings } from "./model/settings.ts";
import type { QueueStats } from "./model/stats.ts";
import {
  checkStoredOptions,
  checkStoredQuery,
  type EmbeddingsQuery,
  type StoredEmbedding,
  type StoredOptions,
} from "./model/stored.ts";
import type { Session } from "./session.ts";

/** The session of a running queue, for an action; throws where the queue does not run. */
type OpenSession = (action: string) => Session;

/** What looks after a queue: the part of {@link EmbeddingQueue} that needs no texts and no embedder. */
export abstract class QueueUpkeep {
  readonly #open: OpenSession;

  /** @internal */
  constructor(open: OpenSession) {
    this.#open = open;
  }

  /**
   * What a destination holds, read from the hash itself: no text need ever have been enqueued for it.
   * Its vector may be of another size than the queue's, for instance of an earlier model.
   *
   * @returns Undefined where the key does not exist, or has none of the fields of an embedding.
   * @throws {EmbedqError} `ERR_INPUT_INVALID` where the key is no hash; `ERR_EMBEDDING_CORRUPT` where the
   *   bytes are no vector of any size.
   */
  async get(key: string, options?: StoredOptions): Promise<StoredEmbedding | undefined> {
    const fields = checkStoredOptions(options);
    return readEmbedding(this.#open("read an embedding"), checkKey(key), fields);
  }

  /**
   * All embeddings under a pattern of keys, in no order, one page in memory at a time. Passes over
   * hashes without a vector, or with bytes that are none of any size, and over keys that are queues'
   * own. What is written meanwhile may come or not; a key may come twice while Redis resizes its table
   * or is restarted.
   *
   * @throws {EmbedqError} `ERR_OPTION_INVALID` at once; in the loop the signal's reason, `ERR_STOPPED`,
   *   `ERR_REDIS_UNAVAILABLE`, `ERR_REDIS_REPLY`.
   *
   * @example
   * ```ts
   * import type { EmbeddingQueue } from "embedq";
   *
   * export async function countBlank(queue: EmbeddingQueue): Promise<number> {
   *   let count = 0;
   *   for await (const { status } of queue.embeddings({ match: "doc:*" })) {
   *     if (status === "blank") count++;
   *   }
   *   return count;
   * }
   * ```
   */
  embeddings(query?: EmbeddingsQuery): AsyncGenerator<StoredEmbedding, void, undefined> {
    const action = "read embeddings";
    const plan = checkStoredQuery(query);
    this.#open(action);
    return readEmbeddings(() => this.#open(action), plan);
  }

  /** How many texts are not settled: waiting, in flight, and in their backoff. */
  async pendingCount(): Promise<number> {
    return (await this.stats()).pending;
  }

  /**
   * Takes outstanding work away. Ends all tickets of the key as `gone`, except where the result of
   * work in flight still arrives.
   */
  async cancel(key: string): Promise<CancelResult> {
    const session = this.#open("cancel");
    const [result = "absent"] = await cancelWork(session.link, [checkKey(key)]);
    if (result !== "absent") await session.announce([key]);
    return result;
  }

  /**
   * Takes away all that is outstanding at the call, as `cancel` does for each key, page by page and
   * beside workers and producers that go on: tickets end as `gone`, except where the result of work in
   * flight still arrives. What is enqueued meanwhile stays, unless it takes the place of a text that
   * waited before. What others put on the stream goes too; dead letters stay.
   *
   * @throws {EmbedqError} `ERR_OPTION_INVALID`, `ERR_REDIS_UNAVAILABLE`, `ERR_REDIS_REPLY`; what was
   *   taken away before stays away.
   */
  async purge(options?: PurgeOptions): Promise<PurgeResult> {
    const bounds = checkBulk(options);
    return purgeWork(this.#open("purge").link, bounds);
  }

  /** Stops all workers of the queue from claiming, until {@link QueueUpkeep.resume}; stored in Redis. */
  async pause(): Promise<void> {
    await setPaused(this.#open("pause").link, true);
  }

  /**
   * Lets workers claim again, and ends their pauses after outages, however long a time the provider
   * named: one call tries first; of workers that paused by their own fault, one call each.
   */
  async resume(): Promise<void> {
    await setPaused(this.#open("resume").link, false);
  }

  /** The state of the queue, counted by Redis in one step. */
  async stats(): Promise<QueueStats> {
    return readStats(this.#open("read the stats").link);
  }

  /** The settings as this process knows them. */
  get settings(): StoredSettings {
    return this.#open("read the settings").settings;
  }

  /**
   * Changes settings for all processes of the queue, also while they work.
   *
   * @throws {EmbedqError} `ERR_OPTION_INVALID`; `ERR_SETTINGS_BUSY` for another model while texts are
   *   in flight; `ERR_SETTINGS_CONFLICT` for another than this queue object asks for itself.
   */
  async configure(changes: RequestedSettings): Promise<StoredSettings> {
    const session = this.#open("configure");
    await session.configure(checkSettings(changes));
    return session.settings;
  }

  /** Dead letters, from the oldest on or, with `newestFirst`, from the newest. */
  async deadLetters(query?: DeadLetterQuery): Promise<readonly DeadLetter[]> {
    const checked = checkLetterQuery(query);
    return listLetters(this.#open("list dead letters").link, checked);
  }

  /** Enqueues a dead letter's text again, unless a newer text of its key is outstanding or stored. */
  async sendBack(letterId: string): Promise<SendBackResult> {
    const session = this.#open("send back a dead letter");
    return sendBackLetter(session.link, session.fields, checkLetterId(letterId));
  }

  /**
   * Does what `sendBack` does with every letter that is there at the call, page by page, the newest
   * first: of several letters of one key, the newest text is enqueued. Texts that die again meanwhile
   * are not sent back a second time.
   *
   * @returns What became of the letters. Malformed ones stay where they are.
   * @throws {EmbedqError} `ERR_OPTION_INVALID`, `ERR_REDIS_UNAVAILABLE`, `ERR_REDIS_REPLY`; what was sent
   *   back before stays sent back.
   */
  async sendBackAll(options?: SendBackAllOptions): Promise<SendBackAllResult> {
    const action = "send back dead letters";
    const bounds = checkBulk(options);
    const { link } = this.#open(action);
    return sendBackLetters(link, () => this.#open(action).fields, bounds);
  }

  /** Removes dead letters for good; returns how many there were. */
  async removeDeadLetters(letterIds: readonly string[]): Promise<number> {
    return deleteLetters(this.#open("remove dead letters").link, checkLetterIds(letterIds));
  }
}
