// Tries to hear: whether this user may subscribe, and whether a write makes an event.

import { connect, OwnClient, type RedisClientLike } from "./client.ts";
import type { Connection } from "./connection.ts";
import { keyspaceChannel } from "./keys.ts";
import type { Link } from "./link.ts";
import { destinationScript, type Script } from "./scripts/script.ts";
import { type Refusal, refusalOf } from "./server.ts";

// Leaves nothing behind: the key is gone when the script ends, and the event of the write is sent.
const WRITE_AND_FORGET: Script = destinationScript(
  "hear",
  "redis.call('HSET', KEYS[1], 'f', 'v') return redis.call('DEL', KEYS[1])",
);

/** An ear of its own, on a connection beside the one for commands. */
export class Ear {
  readonly #link: Link;
  readonly #client: RedisClientLike;
  readonly #own: OwnClient;

  private constructor(link: Link, client: RedisClientLike) {
    this.#link = link;
    this.#client = client;
    const ignore = () => undefined;
    this.#own = new OwnClient(client, { onLost: ignore, onRestored: ignore }, Infinity);
  }

  static async open(connection: Connection, link: Link, timeoutMs: number): Promise<Ear> {
    const ear = new Ear(link, connection.subscriberClient());
    try {
      await connect(ear.#client, timeoutMs);
      return ear;
    } catch (error) {
      await ear.close();
      throw error;
    }
  }

  /** Subscribes; what this user lacks for it, if anything. */
  async listen(
    channel: string,
    listener: () => void = () => undefined,
  ): Promise<Refusal | undefined> {
    try {
      await this.#client.subscribe([channel], listener);
      return undefined;
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal !== undefined) return refusal;
      throw error;
    }
  }

  /** Whether a write to a hash is heard; undefined where this user may not try. */
  async hearsWrites(database: number): Promise<boolean | undefined> {
    const key = `${this.#link.keys.reservedPrefix}doctor`;
    let isHeard = false;
    const listener = () => {
      isHeard = true;
    };
    const refusal = await this.listen(keyspaceChannel(database, key), listener);
    if (refusal !== undefined) return undefined;
    try {
      await this.#link.runOn(WRITE_AND_FORGET, [key], []);
    } catch (error) {
      if (refusalOf(error) !== undefined) return undefined;
      throw error;
    }
    // An event was put on this connection before the answer to what is asked now.
    await this.#client.ping();
    return isHeard;
  }

  close(): Promise<void> {
    return this.#own.close();
  }
}
