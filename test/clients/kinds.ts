// The clients of node-redis that may be handed in: each version, under each protocol it speaks.

import { createClient as create4 } from "redis";
import { BasicClientSideCache as Cache5, createClient as create5 } from "redis-5";
import { BasicClientSideCache as Cache6, createClient as create6 } from "redis-6";
import type { EmbeddingQueue, EmbeddingWorker, RedisClientLike } from "../../src/index.ts";
import type { Scope, ScopeQueueOptions, ScopeWorkerOptions } from "../helpers/scope.ts";

/** A client for a test: what embedq uses of it, and what its owner does. */
export type OwnedClient = RedisClientLike & {
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  listenerCount(event: string): number;
};

export interface Kind {
  readonly kind: string;
  /** True for those that take more options: a mapping of types, a signal, a time for each command. */
  readonly isNewer: boolean;
  /** The version of Redis' protocol. */
  readonly resp: number;
  /** A client that is not connected yet. */
  create(options: object): OwnedClient;
}

const reconnectStrategy = () => 20;

function kind(
  name: string,
  isNewer: boolean,
  resp: number,
  create: (options: never) => unknown,
  usual: object = {},
): Kind {
  return {
    kind: name,
    isNewer,
    resp,
    create: (options) =>
      create({ ...usual, socket: { reconnectStrategy }, ...options } as never) as OwnedClient,
  };
}

/** For `describe.each`; `$kind` names one. */
export const KINDS: readonly Kind[] = [
  kind("node-redis 4", false, 2, create4),
  kind("node-redis 5", true, 2, create5),
  kind("node-redis 5 with RESP 3", true, 3, create5, { RESP: 3 }),
  kind("node-redis 6", true, 3, create6),
  kind("node-redis 6 with RESP 2", true, 2, create6, { RESP: 2 }),
];

/** A cache of replies, for the kinds that may have one. */
export const CACHES = [
  { ...KINDS[2], createCache: () => new Cache5() },
  { ...KINDS[3], createCache: () => new Cache6() },
] as readonly (Kind & { createCache(): { size(): number } })[];

export const NEWER_KINDS: readonly Kind[] = KINDS.filter(({ isNewer }) => isNewer);

/** A connected client, and what runs on it. At the end that is stopped before the client goes. */
export class HandedIn implements AsyncDisposable {
  readonly client: OwnedClient;
  readonly #scope: Scope;
  readonly #running: (EmbeddingQueue | EmbeddingWorker)[] = [];

  constructor(client: OwnedClient, scope: Scope) {
    this.client = client;
    this.#scope = scope;
  }

  async queue(options: ScopeQueueOptions = {}): Promise<EmbeddingQueue> {
    const queue = await this.#scope.queue({ ...options, redis: this.client });
    this.#running.push(queue);
    return queue;
  }

  async worker(options: ScopeWorkerOptions): Promise<EmbeddingWorker> {
    const worker = await this.#scope.worker({ ...options, redis: this.client });
    this.#running.push(worker);
    return worker;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await Promise.all(this.#running.map((one) => one.stop()));
    } finally {
      if (this.client.isOpen) await this.client.disconnect();
    }
  }
}

export async function handIn(
  { create }: Kind,
  scope: Scope,
  options: object = {},
): Promise<HandedIn> {
  const client = create({ url: scope.url, ...options });
  client.on("error", () => {});
  await client.connect();
  return new HandedIn(client, scope);
}
