// One test's own Redis with everything that runs on it. At the end everything is stopped, and what
// a queue must not leave behind is looked for.

import { expect } from "bun:test";
import { randomUUID } from "node:crypto";
import { createClient, type createClient as createClientType } from "redis";
import {
  EmbeddingQueue,
  EmbeddingWorker,
  type EmbedqEvents,
  type EventName,
  type QueueOptions,
  type WorkerOptions,
} from "../../src/index.ts";
import { type QueueKeys, queueKeys } from "../../src/redis/keys.ts";
import { FakeEmbedder } from "./embedder.ts";
import { startProxy, type Proxy as TcpProxy } from "./proxy.ts";
import { type RedisServer, startRedis } from "./redis.ts";
import { until } from "./until.ts";

export type TestClient = ReturnType<typeof createClientType>;
export type ScopeQueueOptions = Partial<QueueOptions>;
export type ScopeWorkerOptions = Partial<WorkerOptions>;

/** An entry of the group as Redis counts it. */
export interface PendingEntry {
  readonly id: string;
  readonly consumer: string;
  readonly idleMs: number;
  readonly deliveries: number;
}

/** Short waits, so that a test of retries or outages is over soon. None of them is a setting of the queue. */
const QUICK = {
  stopTimeoutMs: 300,
  backoff: { baseMs: 20, maxMs: 40 },
  cooldown: { baseMs: 50, maxMs: 100 },
};

export async function testScope(
  options: { readonly args?: readonly string[] } = {},
): Promise<Scope> {
  const server = await startRedis(options);
  const client = createClient({ url: server.url });
  client.on("error", () => {});
  await client.connect();
  return new Scope(server, client);
}

export class Scope {
  readonly server: RedisServer;
  readonly url: string;
  readonly client: TestClient;
  readonly name: string = `test-${randomUUID().slice(0, 8)}`;
  readonly keys: QueueKeys = queueKeys(this.name);
  readonly #running: (EmbeddingQueue | EmbeddingWorker)[] = [];
  readonly #embedders = new Set<FakeEmbedder>();
  readonly #proxies: TcpProxy[] = [];
  #isDamaged = false;

  constructor(server: RedisServer, client: TestClient) {
    this.server = server;
    this.url = server.url;
    this.client = client;
  }

  /** A started queue object; without embedder it only produces. */
  async queue(options: ScopeQueueOptions = {}): Promise<EmbeddingQueue> {
    const queue = this.newQueue(options);
    await queue.start();
    return queue;
  }

  /** The same, not started yet. */
  newQueue(options: ScopeQueueOptions = {}): EmbeddingQueue {
    this.#note(options);
    const queue = new EmbeddingQueue({ redis: this.url, name: this.name, ...QUICK, ...options });
    this.#running.push(queue);
    return queue;
  }

  /** A started worker. */
  async worker(options: ScopeWorkerOptions): Promise<EmbeddingWorker> {
    const worker = this.newWorker(options);
    await worker.start();
    return worker;
  }

  newWorker(options: ScopeWorkerOptions): EmbeddingWorker {
    this.#note(options);
    const worker = new EmbeddingWorker({ redis: this.url, name: this.name, ...QUICK, ...options });
    this.#running.push(worker);
    return worker;
  }

  /** A way to this Redis that can be broken; it outlives what runs through it. */
  async proxy(): Promise<TcpProxy> {
    const proxy = await startProxy(this.server.port);
    this.#proxies.push(proxy);
    return proxy;
  }

  /** Entries of the stream: ID and fields. */
  async stream(): Promise<{ id: string; message: Record<string, string> }[]> {
    return (await this.client.xRange(this.keys.pending, "-", "+")).map(({ id, message }) => ({
      id,
      message: { ...message },
    }));
  }

  /** Entries that were delivered and are not settled. */
  async group(): Promise<PendingEntry[]> {
    try {
      const list = await this.client.xPendingRange(
        this.keys.pending,
        "embedders",
        "-",
        "+",
        10_000,
      );
      return list.map(({ id, owner, millisecondsSinceLastDelivery, deliveriesCounter }) => ({
        id,
        consumer: owner,
        idleMs: millisecondsSinceLastDelivery,
        deliveries: deliveriesCounter,
      }));
    } catch (error) {
      if (/NOGROUP/.test(String(error))) return [];
      throw error;
    }
  }

  async dedup(): Promise<Record<string, string>> {
    return { ...(await this.client.hGetAll(this.keys.dedup)) };
  }

  async retries(): Promise<Record<string, string>> {
    return { ...(await this.client.hGetAll(this.keys.retries)) };
  }

  async dead(): Promise<Record<string, string>[]> {
    const entries = await this.client.xRange(this.keys.dead, "-", "+");
    return entries.map(({ message }) => ({ ...message }));
  }

  /** A destination hash with its vector as bytes. */
  async destination(key: string): Promise<Record<string, string> & { bytes: Buffer | undefined }> {
    const fields = { ...(await this.client.hGetAll(key)) };
    const [bytes] = (await this.client.sendCommand(["HMGET", key, "embedding"], {
      returnBuffers: true,
    })) as unknown as (Buffer | null)[];
    return { ...fields, bytes: bytes ?? undefined } as Record<string, string> & {
      bytes: Buffer | undefined;
    };
  }

  /** The stored vector of a destination. */
  async vector(key: string): Promise<number[] | undefined> {
    const { bytes } = await this.destination(key);
    if (bytes === undefined) return undefined;
    const copy = Uint8Array.from(bytes);
    return [...new Float32Array(copy.buffer)];
  }

  /** After all work is settled, nothing of it is left. */
  async expectEmpty(): Promise<void> {
    expect({
      stream: await this.stream(),
      group: await this.group(),
      dedup: await this.dedup(),
      retries: await this.retries(),
    }).toEqual({ stream: [], group: [], dedup: {}, retries: {} });
  }

  /** Waits until nothing is left. The write comes before the settle, so a ticket can be faster than this. */
  async untilEmpty(): Promise<void> {
    const isEmpty = async () => {
      await this.expectEmpty();
      return true;
    };
    await until(isEmpty, { what: "stream, group, dedup and retries to be empty" });
  }

  /** Takes waiting entries as a worker would that then dies: they never come back. */
  async abandon(count: number, consumer = "ghost"): Promise<string[]> {
    await this.client
      .xGroupCreate(this.keys.pending, "embedders", "0", { MKSTREAM: true })
      .catch((error: unknown) => {
        if (!/BUSYGROUP/.test(String(error))) throw error;
      });
    const reply = await this.client.xReadGroup(
      "embedders",
      consumer,
      { key: this.keys.pending, id: ">" },
      { COUNT: count },
    );
    return (reply?.[0]?.messages ?? []).map(({ id }) => id);
  }

  /** This test breaks the queue's data by hand, so the end does not judge it. */
  damagesData(): void {
    this.#isDamaged = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      for (const embedder of this.#embedders) embedder.release();
      await Promise.all(this.#proxies.map((proxy) => proxy.accept()));
      await Promise.all(this.#running.map((one) => one.stop()));
      await Promise.all(this.#proxies.map((proxy) => proxy.stop()));
      if (this.client.isReady) await this.#expectTidy();
    } finally {
      if (this.client.isOpen) await this.client.disconnect();
      await this.server.stop();
    }
  }

  async #expectTidy(): Promise<void> {
    const connections = async () => {
      const list = String(await this.client.sendCommand(["CLIENT", "LIST"])).trim();
      return list.split("\n").length;
    };
    await until(async () => (await connections()) === 1, { what: "all connections to be closed" });
    if (this.#isDamaged) return;
    const stream = new Set((await this.stream()).map(({ id }) => id));
    const dedup = await this.dedup();
    const named = Object.values(dedup).map((value) => value.split(/[ \n]/)[1] ?? "");
    const strays = {
      "in the group without an entry": (await this.group()).filter(({ id }) => !stream.has(id)),
      "dedup without an entry": named.filter((id) => !stream.has(id)),
      "retries without dedup": Object.keys(await this.retries()).filter((key) => !(key in dedup)),
      "consumers of stopped workers": (await this.#consumers()).filter((name) =>
        name.startsWith("worker-"),
      ),
    };
    expect(strays).toEqual({
      "in the group without an entry": [],
      "dedup without an entry": [],
      "retries without dedup": [],
      "consumers of stopped workers": [],
    });
  }

  async #consumers(): Promise<string[]> {
    try {
      const list = await this.client.xInfoConsumers(this.keys.pending, "embedders");
      return list.map(({ name }) => name);
    } catch (error) {
      if (/no such key|NOGROUP/i.test(String(error))) return [];
      throw error;
    }
  }

  #note({ embedder }: { readonly embedder?: unknown }): void {
    if (embedder instanceof FakeEmbedder) this.#embedders.add(embedder);
  }
}

/** Collects the payloads of an event. */
export function heard<Name extends EventName>(
  source: EmbeddingQueue | EmbeddingWorker,
  name: Name,
): EmbedqEvents[Name][] {
  const payloads: EmbedqEvents[Name][] = [];
  source.on(name, (payload) => {
    payloads.push(payload);
  });
  return payloads;
}

/** The items `key:0`, `key:1`, … with texts `text 0`, `text 1`, … */
export function items(count: number, prefix = "doc"): { key: string; text: string }[] {
  return Array.from({ length: count }, (_, i) => ({
    key: `${prefix}:${i}`,
    text: `${prefix} text ${i}`,
  }));
}

/**
 * What a promise is rejected with. Begin it before what makes it fail; bun's `expect().rejects`
 * would hold everything up until the promise is settled.
 */
export async function failure(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("expected the promise to be rejected, but it was resolved");
}
