// A client that is handed in stays its owner's: as it was, with the owner's options, and no 'error' unheard.

import { describe, expect, test } from "bun:test";
import { inspect } from "node:util";
import { copyOf } from "../../src/redis/client.ts";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { heard, items, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";
import { CACHES, handIn, KINDS, NEWER_KINDS } from "./kinds.ts";

const EVENTS = ["error", "ready", "end", "connect", "reconnecting", "invalidate"];

describe.each(KINDS)("$kind", (kind) => {
  test("a client does the work, stays open and stays as it was", async () => {
    await using scope = await testScope();
    const socket = { keepAlive: true, reconnectStrategy: () => 20 };
    const given = { url: scope.url, name: "mine", database: 3, socket };
    await using mine = await handIn(kind, scope, given);
    const { client } = mine;
    const shape = () => ({
      options: inspect(client.options, { depth: 5 }),
      given: inspect(given, { depth: 5 }),
      listeners: EVENTS.map((name) => client.listenerCount(name)),
    });
    const before = shape();
    const embedder = new FakeEmbedder();
    const queue = await mine.queue({ embedder });
    const tickets = await queue.enqueueMany(items(60));
    const waits = Promise.all(tickets.map((ticket) => ticket.embedding({ timeoutMs: 10_000 })));
    await queue.flushNow();
    expect(await waits).toEqual(items(60).map(({ text }) => embedder.vectorOf(text)));
    await queue.stop();
    expect(client.isReady).toBe(true);
    expect(await client.sendCommand(["HGET", "doc:1", "embedding_status"])).toBe("embedded");
    expect(await scope.client.exists("doc:1")).toBe(0);
    expect(shape()).toEqual(before);
  });

  test("a client without listeners of its owner's is heard by one queue after another", async () => {
    await using scope = await testScope();
    const proxy = await scope.proxy();
    const uncaught: unknown[] = [];
    const listen = (error: unknown) => uncaught.push(error);
    process.on("uncaughtException", listen);
    process.on("unhandledRejection", listen);
    const client = kind.create({ url: proxy.url });
    await client.connect();
    try {
      await (await scope.queue({ redis: client })).stop();
      const queue = await scope.queue({ redis: client, embedder: new FakeEmbedder() });
      const lost = heard(queue, "connection:lost");
      const restored = heard(queue, "connection:restored");
      await proxy.refuse();
      proxy.cut();
      const roles = (list: { role: string }[]) => new Set(list.map(({ role }) => role));
      await until(() => roles(lost).size === 2, { what: "both connections to be lost" });
      await proxy.accept();
      await until(() => roles(restored).size === 2, { what: "both connections to be back" });
      await queue.stop();
      expect(uncaught).toEqual([]);
    } finally {
      process.off("uncaughtException", listen);
      process.off("unhandledRejection", listen);
      await client.disconnect();
    }
  });
});

describe.each(NEWER_KINDS)("$kind", (kind) => {
  test("what the owner chose for its own commands changes none of embedq's", async () => {
    await using scope = await testScope();
    const ended = new AbortController();
    const typeMapping = { 36: Buffer, 43: Buffer, 58: String, 37: Map, 61: Buffer };
    const commandOptions = { typeMapping, abortSignal: ended.signal, timeout: 60_000, asap: true };
    await using mine = await handIn(kind, scope, { commandOptions });
    ended.abort();
    const embedder = new FakeEmbedder();
    const queue = await mine.queue({ embedder });
    const unavailable = heard(queue, "notifications:unavailable");
    const tickets = await queue.enqueueMany(items(5));
    const waits = Promise.all(tickets.map((ticket) => ticket.embedding({ timeoutMs: 10_000 })));
    await queue.flushNow();
    expect(await waits).toEqual(items(5).map(({ text }) => embedder.vectorOf(text)));
    expect(await queue.stats()).toMatchObject({ dead: 0, isPaused: false });
    const copy = copyOf(mine.client);
    await copy.connect();
    expect(await copy.ping()).toBe("PONG");
    await copy.disconnect();
    expect(unavailable).toEqual([]);
  });
});

describe.each(CACHES)("$kind", (kind) => {
  test("the owner's cache of replies is not emptied when the copy for pub/sub loses its socket", async () => {
    await using scope = await testScope();
    const cache = kind.createCache();
    await using mine = await handIn(kind, scope, { clientSideCache: cache });
    const { client } = mine as unknown as { client: { get(key: string): Promise<string> } };
    const embedder = new FakeEmbedder();
    const queue = await mine.queue({ embedder });
    const lost = heard(queue, "connection:lost");
    const restored = heard(queue, "connection:restored");
    await scope.client.set("owner", "value");
    expect(await client.get("owner")).toBe("value");
    expect(cache.size()).toBe(1);
    await scope.client.sendCommand(["CLIENT", "KILL", "TYPE", "pubsub"]);
    await until(() => restored.length > 0, { what: "the subscriber to be back" });
    expect(lost.map(({ role }) => role)).toEqual(["subscriber"]);
    expect(cache.size()).toBe(1);
    const ticket = await queue.enqueue("doc:1", "text");
    await queue.flushAndWait({ timeoutMs: 10_000 });
    expect(await ticket.embedding()).toEqual(embedder.vectorOf("text"));
  });
});
