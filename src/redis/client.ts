// What a node-redis client is to embedq, and how it is connected, followed and let go.

import { classify, redisError } from "./failures.ts";

/** What embedq uses of a node-redis client; one made by `createClient` of `redis` 4.7 fits. */
export interface RedisClientLike {
  readonly isOpen: boolean;
  readonly isReady: boolean;
  readonly options?: object | undefined;
  connect(): Promise<unknown>;
  disconnect(): Promise<unknown>;
  duplicate(overrides?: object): RedisClientLike;
  sendCommand(args: (string | Uint8Array)[], options?: object): Promise<unknown>;
  subscribe(
    channels: string[],
    listener: (message: string, channel: string) => void,
  ): Promise<unknown>;
  unsubscribe(
    channels: string[],
    listener: (message: string, channel: string) => void,
  ): Promise<unknown>;
  ping(): Promise<unknown>;
  on(event: string, listener: (...args: never[]) => void): unknown;
  off(event: string, listener: (...args: never[]) => void): unknown;
}

/** Options of node-redis' `createClient`, of which embedq looks at these. */
export interface RedisClientOptions {
  /** For instance `redis://127.0.0.1:6379/0` or `rediss://user:password@host:6380`. */
  readonly url?: string | undefined;
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
    await disconnect(client);
    throw redisError("connect", last ?? error);
  } finally {
    client.off("error", remember);
  }
}

/** Disconnects whatever state the client is in. */
export async function disconnect(client: RedisClientLike): Promise<void> {
  // From here on an 'error' event means nothing, and must not go unheard.
  client.off("error", ignoreError);
  client.on("error", ignoreError);
  if (!client.isOpen) return;
  try {
    await client.disconnect();
  } catch (error) {
    // Already closed by the other side: what was wanted.
    if (classify(error) !== "passing") throw redisError("disconnect", error);
  }
}

/** Follows a client's connection; returns the function that stops it. No 'error' event goes unheard. */
export function watch(client: RedisClientLike, hooks: ConnectionHooks): () => void {
  let isLost = false;
  const onError = (error: Error) => {
    if (isLost) return;
    isLost = true;
    hooks.onLost(error);
  };
  const onReady = () => {
    if (!isLost) return;
    isLost = false;
    hooks.onRestored();
  };
  client.on("error", onError);
  client.on("ready", onReady);
  return () => {
    client.off("error", onError);
    client.off("ready", onReady);
  };
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

function ignoreError(): void {
  // The connection is being closed on purpose.
}
