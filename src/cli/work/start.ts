// The start of a worker: containers come up in any order, so a Redis that is not there is waited for.

import { EmbeddingQueue, EmbedqError, type QueueOptions } from "../../index.ts";
import type { Context } from "../context.ts";
import { messageOf } from "../errors.ts";
import { pauseFor } from "../pause.ts";
import type { Journal } from "./journal.ts";

/** Between two attempts; each takes as long as a command to Redis may. */
const RETRY_MS = 1000;

/** A queue of this command line that is not started; the worker in it says what happens. */
export function newWorkingQueue(
  { redis, name }: Context,
  options: Partial<QueueOptions>,
): EmbeddingQueue {
  return new EmbeddingQueue({ redis, name, ...options });
}

/**
 * Starts it, however long Redis is away.
 *
 * @returns False where the signal came first.
 * @throws {EmbedqError} Whatever else hinders the start, at once.
 */
export async function startPatiently(
  queue: EmbeddingQueue,
  { signal, redisPlace }: Context,
  journal: Journal,
): Promise<boolean> {
  while (!signal.aborted) {
    const attempt = queue.start();
    // Connecting can take a while, and nothing is lost by not waiting for it.
    const ended = await Promise.race([
      attempt.then(
        () => undefined,
        (error: unknown) => ({ error }),
      ),
      new Promise<"stopped">((resolve) => {
        signal.addEventListener("abort", () => resolve("stopped"), { once: true });
      }),
    ]);
    if (ended === "stopped") break;
    if (ended === undefined) return true;
    const { error } = ended;
    const isAway = error instanceof EmbedqError && error.code === "ERR_REDIS_UNAVAILABLE";
    if (!isAway) throw error;
    journal.say("redis:awaited", `waiting for Redis at ${redisPlace}: ${messageOf(error)}`, {
      error,
    });
    await pauseFor(RETRY_MS, signal);
  }
  return false;
}
