// The start of a worker: containers come up in any order, so a Redis that is not there is waited for.

import { EmbeddingQueue, type QueueOptions } from "../../index.ts";
import type { Context } from "../context.ts";
import { isRedisAway, messageOf } from "../errors.ts";
import { pauseFor, unlessRaised } from "../pause.ts";
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
    try {
      // Connecting can take a while, and nothing is lost by not waiting for it.
      await unlessRaised(queue.start(), signal);
      return true;
    } catch (error) {
      if (signal.aborted) break;
      if (!isRedisAway(error)) throw error;
      const message = `waiting for Redis at ${redisPlace}: ${messageOf(error)}`;
      journal.say("redis:awaited", message, { error });
    }
    await pauseFor(RETRY_MS, signal);
  }
  return false;
}
