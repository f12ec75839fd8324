// What a node-redis client is to embedq, and how it is connected, followed and let go.

import { asError } from "../model/errors.ts";
import { classify, redisError } from "./failures.ts";
import { copyOverrides, hangUp } from "./newer-client.ts";

/** What embedq uses of a node-redis client; one made by `createClient` of `redis` 4.7, 5 or 6 fits. */
export interface RedisClientLike {
  /** Connected, or on the way to be again. */
  readonly isOpen: boolean;
  /** Commands can be sent now. */
  readonly isReady: boolean;
  /** What it was made with. */
  readonly options?: object | undefined;
  /** Resolves when it is ready. */
  connect(): Promise<unknown>;
  /** Closes the connection at once. */
  disconnect(): Promise<unknown>;
  /** Another client with the same options, not connected yet. */
  duplicate(overrides?: object): RedisClientLike;
  /** Sends one command as it is. */
  sendCommand(args: readonly (string | Uint8Array)[], options?: object): Promise<unknown>;
  /** Hears channels. */
  subscribe(
    channels: string[],
    listener: (message: string, channel: string) => void,
  ): Promise<unknown>;
  /** Ends what {@link RedisClientLike.subscribe} began. */
  unsubscribe(
    channels: string[],
    listener: (message: string, channel: string) => void,
  ): Promise<unknown>;
  /** Asks for a sign of life. */
  ping(): Promise<unknown>;
  /** Listens to an event. */
  on(event: string, listener: (error: Error) => void): unknown;
  /** Ends what {@link RedisClientLike.on} began. */
  off(event: string, listener: (error: Error) => void): unknown;
}

/** Options of node-redis' `createClient`, of which embedq looks at these. */
export interface RedisClientOptions {
  /** For instance `redis://127.0.0.1:6379/0` or `rediss://user:password@host:6380`. */
  readonly url?: string | undefined;
  /** Not an option: keeps clusters, pools and the like from being taken for options. */
  readonly sendCommand?: undefined;
  /** Everything else is handed to node-redis as it is. */
  readonly [option: string]: unknown;
}

export interface ConnectionHooks {
  readonly onLost: (error: Error) => void;
  readonly onRestored: () => void;
}

/** Connects within a time; node-redis alone would try for ever. */
export async function connect(client: RedisClientLike, timeoutMs: number): Promise<void> {
  let last: unknown;
  const remember = (error: Error) => {
    last = error;
  };
  client.on("error", remember);
  try {
    await within(client.connect(), timeoutMs, "Redis gave no answer in time");
  } catch (error) {
    // Not what the disconnect itself brings about.
    client.off("error", remember);
    await disconnect(client);
    throw redisError("connect", last ?? error);
  } finally {
    client.off("error", remember);
  }
}

/** Disconnects whatever state the client is in. */
async function disconnect(client: RedisClientLike): Promise<void> {
  // From here on an 'error' event means nothing, and must not go unheard.
  client.off("error", ignoreError);
  client.on("error", ignoreError);
  if (!client.isOpen) return;
  try {
    await hangUp(client);
  } catch (error) {
    // Already closed by the other side: what was wanted.
    if (classify(error) !== "passing") throw redisError("disconnect", error);
  }
}

/**
 * Follows a client's connection; returns the function that stops it. No 'error' event goes unheard.
 *
 * @param isLost True for a client that takes the place of one that was lost.
 */
export function watch(client: RedisClientLike, hooks: ConnectionHooks, isLost = false): () => void {
  let lost = isLost;
  const onError = (error: Error) => {
    if (lost) return;
    lost = true;
    hooks.onLost(error);
  };
  const onReady = () => {
    if (!lost) return;
    lost = false;
    hooks.onRestored();
  };
  client.on("error", onError);
  client.on("ready", onReady);
  return () => {
    client.off("error", onError);
    client.off("ready", onReady);
  };
}

/** A copy of a client, not connected. */
export function copyOf(client: RedisClientLike): RedisClientLike {
  return client.duplicate(copyOverrides(client));
}

/**
 * A client of embedq's own. node-redis reconnects by itself after a broken socket, but not where
 * the socket is half-open, or the other side takes the connection and never answers: then only a
 * new client helps.
 */
export class OwnClient {
  readonly #hooks: ConnectionHooks;
  readonly #replaceEveryMs: number;
  #client: RedisClientLike;
  #unwatch: () => void;
  #replacedAt = Number.NEGATIVE_INFINITY;
  #isLost = false;
  #isClosed = false;

  /** @param replaceEveryMs A new client has this long before it may be replaced in its turn. */
  constructor(client: RedisClientLike, hooks: ConnectionHooks, replaceEveryMs: number) {
    this.#client = client;
    this.#replaceEveryMs = replaceEveryMs;
    this.#hooks = {
      // Told once for one loss, however many clients it takes.
      onLost: (error) => {
        if (!this.#isLost) hooks.onLost(error);
        this.#isLost = true;
      },
      onRestored: () => {
        this.#isLost = false;
        hooks.onRestored();
      },
    };
    this.#unwatch = watch(client, this.#hooks);
  }

  get current(): RedisClientLike {
    return this.#client;
  }

  /** Puts a new client in the place of one that hears nothing; `onRestored` tells when it is ready. */
  replace(reason: Error): void {
    const now = performance.now();
    if (this.#isClosed || now - this.#replacedAt < this.#replaceEveryMs) return;
    this.#replacedAt = now;
    const deaf = this.#client;
    this.#unwatch();
    this.#hooks.onLost(reason);
    this.#client = copyOf(deaf);
    this.#unwatch = watch(this.#client, this.#hooks, true);
    // Errors of a connect that goes on trying are heard as 'error' events.
    this.#client.connect().catch((error: unknown) => {
      if (!this.#isClosed) this.#hooks.onLost(asError(error));
    });
    disconnect(deaf).catch((error: unknown) => this.#hooks.onLost(asError(error)));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#unwatch();
    await disconnect(this.#client);
  }
}

/** The promise's value, or a {@link NoAnswerError} after `timeoutMs`. */
export async function within<T>(
  promise: Promise<T>,
  timeoutMs: number,
  message: string,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NoAnswerError(message)), Math.max(0, timeoutMs));
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** Redis did not answer in time; the command may have been carried out. */
export class NoAnswerError extends Error {}

/** There is no connection at the moment; the command was not sent. */
export class NotReadyError extends Error {}

function ignoreError(): void {
  // The connection is being closed on purpose.
}
