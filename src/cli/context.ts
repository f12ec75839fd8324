// What a command runs with: where it writes, when it is to stop, and the queue it asks for.

import { EmbeddingQueue, type QueueOptions } from "../index.ts";
import type { QueueValues } from "./options/shared.ts";
import type { Output } from "./output.ts";

/** Somebody sits before the screen: a Redis that is not there is reported soon. */
const COMMAND_TIMEOUT_MS = 3000;
/** What is long outlives a restart of Redis that a person before the screen would not wait for. */
export const LONG_COMMAND_TIMEOUT_MS = 15_000;

export class Context {
  readonly out: Output;
  /** Raised at Ctrl-C and the like; its reason is an `Interrupted`. */
  readonly signal: AbortSignal;
  /** The Redis that the options name; may hold a password, never to be shown. */
  readonly redis: string;
  /** The name of the queue. */
  readonly name: string;
  /** Where that Redis is, without credentials: `127.0.0.1:6379`, and the database where it is not 0. */
  readonly redisPlace: string;
  readonly #opened: { stop(): Promise<void> }[] = [];

  constructor(out: Output, signal: AbortSignal, { redis, name }: QueueValues) {
    this.out = out;
    this.signal = signal;
    this.redis = redis;
    this.redisPlace = placeOf(redis);
    this.name = name;
  }

  /**
   * The queue that the options name, started; it is stopped when the command ends. One that does not
   * exist yet is an error, unless `mustExist: false` lets it begin.
   */
  async queue(options: Partial<QueueOptions> = {}): Promise<EmbeddingQueue> {
    const queue = new EmbeddingQueue({
      redis: this.redis,
      name: this.name,
      // A name that is mistyped must not become a queue.
      mustExist: true,
      commandTimeoutMs: COMMAND_TIMEOUT_MS,
      ...options,
    });
    this.closeAtEnd(queue);
    await queue.start();
    return queue;
  }

  /** Stops something when the command ends, however it ends; the last opened first. */
  closeAtEnd(opened: { stop(): Promise<void> }): void {
    this.#opened.push(opened);
  }

  /** Stops all of them, also where one of them fails to. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (const opened of this.#opened.splice(0).reverse()) {
      await opened.stop().catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }
}

function placeOf(url: string): string {
  const { hostname, port, pathname } = new URL(url);
  const database = pathname.replace(/^\/0?$/, "");
  return `${hostname || "localhost"}:${port || "6379"}${database}`;
}
