// The only file that imports node-redis: one connection for commands, with deadlines and repeats,
// and the clients that the subscriber is made from.

import { Buffer } from "node:buffer";
import { beginningOf, show } from "../model/check.ts";
import { EmbedqError, messageOf } from "../model/errors.ts";
import {
  type ConnectionHooks,
  connect,
  copyOf,
  NoAnswerError,
  NotReadyError,
  OwnClient,
  type RedisClientLike,
  type RedisClientOptions,
  watch,
  within,
} from "./client.ts";
import { classify, redisError, replyWord } from "./failures.ts";
import { commandOptions, keepListeners } from "./newer-client.ts";
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
  /** The client that was handed in, or undefined where it is our own. */
  readonly #given: RedisClientLike | undefined;
  readonly #own: OwnClient | undefined;
  readonly #timeoutMs: number;
  readonly #unwatch: () => void;
  #isClosed = false;

  private constructor(client: RedisClientLike, isOwn: boolean, options: ConnectionOptions) {
    this.#timeoutMs = options.timeoutMs;
    this.#given = isOwn ? undefined : client;
    this.#own = isOwn ? new OwnClient(client, options, options.timeoutMs) : undefined;
    this.#unwatch = isOwn ? () => undefined : watch(client, options);
  }

  /** Connects; a client that is handed in must be connected and stays its owner's. */
  static async open(
    redis: string | RedisClientLike | RedisClientOptions,
    options: ConnectionOptions,
  ): Promise<Connection> {
    if (isClient(redis)) {
      refuseUnusable(redis);
      keepListeners(redis);
      return new Connection(redis, false, options);
    }
    const client = await makeClient(typeof redis === "string" ? { url: redis } : redis);
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
    return copyOf(this.#client);
  }

  /** The number of the database that commands go to. */
  async database(): Promise<number> {
    const { database = 0 } = (this.#client.options ?? {}) as { database?: number };
    try {
      const info = await this.#once(["CLIENT", "INFO"], false, this.#timeoutMs);
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
    const endsAt = performance.now() + this.#timeoutMs;
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#once(args, binary, endsAt - performance.now());
      } catch (error) {
        const pauseMs = Math.min(500, 25 * 2 ** attempt);
        const isOver = this.#isClosed || performance.now() + pauseMs >= endsAt;
        if (classify(error) === "noScript") throw error;
        if (!repeats || isOver || classify(error) !== "passing") {
          // Never ready in all this time: the other side may have taken the connection without a word.
          if (repeats && error instanceof NotReadyError) this.#own?.replace(error);
          // A master that was demoted keeps its sockets: only a new one reaches its successor.
          if (replyWord(error) === "READONLY") this.#own?.replace(error as Error);
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
    await this.#own?.close();
  }

  get #client(): RedisClientLike {
    return this.#given ?? (this.#own as OwnClient).current;
  }

  async #once(
    args: readonly (string | Uint8Array)[],
    binary: boolean,
    timeoutMs: number,
  ): Promise<Reply> {
    const client = this.#client;
    // node-redis would keep the command and send it when Redis is back, although it was reported
    // as failed long before: an old cancel would then take a new text away.
    const outOfTime = new AbortController();
    const reply = client.isReady
      ? client.sendCommand(args.map(toWire), commandOptions(client, binary, outOfTime.signal))
      : Promise.reject(new NotReadyError("The client is offline"));
    try {
      return (await within(reply, timeoutMs, "Redis gave no answer in time")) as Reply;
    } catch (error) {
      if (error instanceof NoAnswerError) {
        outOfTime.abort();
        this.#own?.replace(error);
      }
      throw error;
    }
  }
}

/** node-redis takes strings and Buffers, nothing else. */
function toWire(arg: string | Uint8Array): string | Buffer {
  if (typeof arg === "string") return arg;
  return Buffer.from(arg.buffer, arg.byteOffset, arg.byteLength);
}

/** @throws {EmbedqError} `ERR_OPTION_INVALID`, without showing what may be a credential. */
export function checkRedisOption(redis: unknown): void {
  if (
    typeof redis === "string" ? /^rediss?:\/\//.test(redis) : typeof redis === "object" && redis
  ) {
    return;
  }
  const found = typeof redis === "string" ? beginningOf(redis) : `it is ${show(redis)}`;
  throw new EmbedqError(
    "ERR_OPTION_INVALID",
    `Cannot use the option \`redis\` as it must be a URL that begins with redis:// or rediss://, options of node-redis, or a client: ${found}`,
  );
}

function isClient(redis: RedisClientLike | RedisClientOptions | string): redis is RedisClientLike {
  return typeof redis === "object" && "sendCommand" in redis;
}

function refuseUnusable(client: RedisClientLike): void {
  if ((client.options as { legacyMode?: boolean } | undefined)?.legacyMode === true) {
    throw new EmbedqError(
      "ERR_OPTION_INVALID",
      "Cannot use the client in `redis` as it is in legacy mode: create one without `legacyMode`, or hand in `client.v4`'s options",
    );
  }
  // Their commands take other arguments; what would come of it is a wait that never ends.
  const kind = otherKind(client);
  if (kind !== undefined) {
    throw new EmbedqError(
      "ERR_OPTION_INVALID",
      `Cannot use the client in \`redis\` as it must be that of a single Redis, made by createClient of node-redis 4, 5 or 6: it is ${kind}`,
    );
  }
  if (!client.isOpen) {
    throw new EmbedqError(
      "ERR_OPTION_INVALID",
      "Cannot use the client in `redis` as it is not connected: await its connect() first",
    );
  }
}

/** What the client is, if not that of a single Redis. */
function otherKind(client: object): string | undefined {
  if ("masters" in client) return "one of a cluster";
  if ("totalClients" in client) return "a pool of clients";
  if ("getSentinelNode" in client) return "one of Sentinel";
  const has = (name: string) => name in client;
  return ["isOpen", "isReady", "duplicate", "subscribe"].every(has) ? undefined : "another object";
}

async function makeClient(options: RedisClientOptions): Promise<RedisClientLike> {
  // Not before somebody connects: loading it takes longer than all the rest.
  const { createClient } = await import("redis");
  try {
    if (options["legacyMode"] === true) throw new Error("`legacyMode` must be left out");
    // A copy: createClient writes into the options and into their `socket`.
    const socket = { ...(options["socket"] as object | undefined) };
    const all = withIpv6({ ...options, socket });
    return createClient(all as object) as unknown as RedisClientLike;
  } catch (error) {
    // Without cause: Node's error for an invalid URL carries the URL, and with it the password.
    throw new EmbedqError(
      "ERR_OPTION_INVALID",
      `Cannot use the options in \`redis\`: ${error instanceof TypeError ? "the URL must be like redis://host:6379" : messageOf(error)}`,
    );
  }
}

/** node-redis looks up the address of a URL with its brackets, and finds nothing: it is named apart. */
function withIpv6(options: RedisClientOptions & { socket: object }): RedisClientOptions {
  const { url, ...rest } = options;
  const [, host] = (url && URL.canParse(url) && /^\[(.+)\]$/.exec(new URL(url).hostname)) || [];
  if (url === undefined || host === undefined) return options;
  const { protocol, port, username, password, pathname } = new URL(url);
  const database = pathname.length > 1 ? Number(pathname.slice(1)) : undefined;
  if (Number.isNaN(database)) throw new TypeError("Invalid pathname");
  return {
    ...rest,
    ...(username !== "" && { username: decodeURIComponent(username) }),
    ...(password !== "" && { password: decodeURIComponent(password) }),
    ...(database !== undefined && { database }),
    socket: {
      ...options.socket,
      host,
      ...(port !== "" && { port: Number(port) }),
      ...(protocol === "rediss:" && { tls: true }),
    },
  };
}
