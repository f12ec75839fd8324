// The only file that knows node-redis: one connection for commands, with deadlines and repeats,
// and the clients that the subscriber is made from.

import { Buffer } from "node:buffer";
import { createClient } from "redis";
import { EmbedqError, messageOf } from "../model/errors.ts";
import {
  type ConnectionHooks,
  connect,
  disconnect,
  NoAnswerError,
  type RedisClientLike,
  type RedisClientOptions,
  watch,
  within,
} from "./client.ts";
import { classify, redisError } from "./failures.ts";
import type { Reply } from "./replies.ts";
import type { Script } from "./scripts/script.ts";

export interface CommandOptions {
  /** False for a command that must not be sent twice; it fails where others are repeated. @default true */
  readonly repeats?: boolean;
  /** True for replies with vectors: text comes as bytes too. @default false */
  readonly binary?: boolean;
}

interface ConnectionOptions extends ConnectionHooks {
  /** How long one command may take, repeats included, and the first connect. */
  readonly timeoutMs: number;
}

/** One connection for commands. */
export class Connection {
  readonly #client: RedisClientLike;
  readonly #isOwn: boolean;
  readonly #options: ConnectionOptions;
  readonly #unwatch: () => void;
  #isClosed = false;
  /** Written by a command that got no answer; read by others, so that one reconnect serves all. */
  #reconnecting = false;

  private constructor(client: RedisClientLike, isOwn: boolean, options: ConnectionOptions) {
    this.#client = client;
    this.#isOwn = isOwn;
    this.#options = options;
    this.#unwatch = watch(client, options);
  }

  /** Connects; a client that is handed in must be connected and stays its owner's. */
  static async open(
    redis: string | RedisClientLike | RedisClientOptions,
    options: ConnectionOptions,
  ): Promise<Connection> {
    if (isClient(redis)) {
      refuseUnusable(redis);
      return new Connection(redis, false, options);
    }
    const client = makeClient(typeof redis === "string" ? { url: redis } : redis);
    const connection = new Connection(client, true, options);
    try {
      await connect(client, options.timeoutMs);
    } catch (error) {
      await connection.close();
      throw error;
    }
    return connection;
  }

  /** A client for pub/sub beside this connection, not connected yet. */
  subscriberClient(): RedisClientLike {
    const { socket } = (this.#client.options ?? {}) as { socket?: object };
    // node-redis would share the socket options with the original, and change them.
    return this.#client.duplicate({ socket: { ...socket } });
  }

  /** The number of the database that commands go to. */
  async database(): Promise<number> {
    const { database = 0 } = (this.#client.options ?? {}) as { database?: number };
    try {
      const info = await this.#once(["CLIENT", "INFO"], false, this.#options.timeoutMs);
      return Number(/\bdb=(\d+)/.exec(String(info))?.[1] ?? database);
    } catch (error) {
      // Forbidden or unknown here; SELECT through a client of one's own is then not seen.
      if (classify(error) === "final") return database;
      throw redisError("ask for the database number", error);
    }
  }

  /** Sends one command, again and again while its failure is a passing one and the time lasts. */
  async send(
    args: readonly (string | Uint8Array)[],
    { repeats = true, binary = false }: CommandOptions = {},
  ): Promise<Reply> {
    const endsAt = performance.now() + this.#options.timeoutMs;
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#once(args, binary, endsAt - performance.now());
      } catch (error) {
        const pauseMs = Math.min(500, 25 * 2 ** attempt);
        const isOver = this.#isClosed || performance.now() + pauseMs >= endsAt;
        if (classify(error) === "noScript") throw error;
        if (!repeats || isOver || classify(error) !== "passing") {
          throw redisError(`run ${String(args[0])}`, error);
        }
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
  }

  /** Runs a script by its SHA, or in full where Redis does not know it. */
  async run(
    script: Script,
    keys: readonly string[],
    args: readonly (string | Uint8Array)[],
    options?: CommandOptions,
  ): Promise<Reply> {
    const tail = [String(keys.length), ...keys, ...args];
    try {
      try {
        return await this.send(["EVALSHA", script.sha, ...tail], options);
      } catch (error) {
        if (classify(error) !== "noScript") throw error;
        return await this.send(["EVAL", script.source, ...tail], options);
      }
    } catch (error) {
      if (!(error instanceof EmbedqError)) throw redisError(`run the ${script.name} script`, error);
      throw new EmbedqError(
        error.code,
        error.message.replace(/run EVAL(SHA)?/, `run the ${script.name} script`),
        { cause: error.cause },
      );
    }
  }

  /** Closes the connection if it is embedq's own; one that was handed in is only let go of. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#unwatch();
    if (!this.#isOwn) return;
    await disconnect(this.#client);
  }

  async #once(
    args: readonly (string | Uint8Array)[],
    binary: boolean,
    timeoutMs: number,
  ): Promise<Reply> {
    // node-redis takes strings and Buffers, nothing else.
    const wire = args.map((arg) =>
      typeof arg === "string" ? arg : Buffer.from(arg.buffer, arg.byteOffset, arg.byteLength),
    );
    const reply = this.#client.sendCommand(wire, { returnBuffers: binary });
    try {
      return (await within(reply, timeoutMs, "Redis gave no answer in time")) as Reply;
    } catch (error) {
      if (error instanceof NoAnswerError) this.#reconnect();
      throw error;
    }
  }

  /** node-redis does not notice a half-open socket: only a new one brings the connection back. */
  #reconnect(): void {
    if (!this.#isOwn || this.#isClosed || this.#reconnecting || !this.#client.isReady) return;
    this.#reconnecting = true;
    void disconnect(this.#client)
      .then(() => (this.#isClosed ? undefined : this.#client.connect()))
      .catch((error: unknown) => this.#options.onLost(new Error(messageOf(error))))
      .finally(() => {
        this.#reconnecting = false;
      });
  }
}

function isClient(redis: RedisClientLike | RedisClientOptions | string): redis is RedisClientLike {
  return typeof redis === "object" && "sendCommand" in redis && "duplicate" in redis;
}

function refuseUnusable(client: RedisClientLike): void {
  if ((client.options as { legacyMode?: boolean } | undefined)?.legacyMode === true) {
    throw new EmbedqError(
      "ERR_OPTION_INVALID",
      "Cannot use the client in `redis` as it is in legacy mode: create one without `legacyMode`, or hand in `client.v4`'s options",
    );
  }
  if (!client.isOpen) {
    throw new EmbedqError(
      "ERR_OPTION_INVALID",
      "Cannot use the client in `redis` as it is not connected: await its connect() first",
    );
  }
}

function makeClient(options: RedisClientOptions): RedisClientLike {
  try {
    // A copy: createClient writes into the options and into their `socket`.
    const socket = { ...(options["socket"] as object | undefined) };
    return createClient({ ...options, socket } as object) as unknown as RedisClientLike;
  } catch (error) {
    // Without cause: Node's error for an invalid URL carries the URL, and with it the password.
    throw new EmbedqError(
      "ERR_OPTION_INVALID",
      `Cannot use the options in \`redis\`: ${error instanceof TypeError ? "the URL must be like redis://host:6379" : messageOf(error)}`,
    );
  }
}
