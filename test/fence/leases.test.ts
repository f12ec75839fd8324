// In one process: a worker whose renewals do not come through, because its own network stands
// still, against one that works. Whatever order they end in, the newest text's vector stays.

import { expect, test } from "bun:test";
import type { EmbeddingQueue } from "../../src/index.ts";
import { FakeEmbedder, vectorOf } from "../helpers/embedder.ts";
import { startProxy } from "../helpers/proxy.ts";
import { heard, type Scope, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";

const SETTINGS = { leaseMs: 300, flushIntervalMs: 0 };

test("a late worker does not overwrite a newer text's vector", async () => {
  await using scope = await testScope();
  const producer = await scope.queue(SETTINGS);
  await producer.enqueue("doc:0", "old");
  await using late = await startLate(scope);
  late.proxy.stall();

  const newer = await producer.enqueue("doc:0", "new");
  await scope.worker({ embedder: new FakeEmbedder() });
  expect(await newer.embedding()).toEqual(vectorOf("new", 4));
  await scope.untilEmpty();

  late.embedder.release();
  late.proxy.flow();
  await until(() => late.drained.length === 1, { what: "the late worker" });
  expect(late.lost.map(({ keys }) => keys)).toEqual([["doc:0"]]);
  await expectStored(scope, newer.version, "new");
  await scope.expectEmpty();
});

test("a late renewal does not steal an entry back", async () => {
  await using scope = await testScope();
  const producer = await scope.queue(SETTINGS);
  const ticket = await producer.enqueue("doc:0", "one");
  await using late = await startLate(scope);
  late.proxy.stall();
  const embedder = new FakeEmbedder();
  embedder.hold();
  await scope.worker({ embedder });
  await until(() => embedder.active === 1, { what: "another worker to take over" });
  const [owner] = (await scope.group()).map(({ consumer }) => consumer);

  // The renewals that were held back arrive now.
  late.proxy.flow();
  await until(() => late.lost.length === 1, { what: "the event" });
  expect((await scope.group()).map(({ consumer }) => consumer)).toEqual([owner as string]);
  embedder.release();
  await ticket.outcome();
  await scope.untilEmpty();
  late.embedder.release();
  await until(() => late.drained.length === 1, { what: "the late worker" });
  expect(late.lost).toHaveLength(1);
  await expectStored(scope, ticket.version, "one");
  await scope.expectEmpty();
});

test("a late worker that comes first has done the work", async () => {
  await using scope = await testScope();
  const producer = await scope.queue(SETTINGS);
  const ticket = await producer.enqueue("doc:0", "one");
  await using late = await startLate(scope);
  late.proxy.stall();
  const embedder = new FakeEmbedder();
  embedder.hold();
  const other = await scope.worker({ embedder });
  const drained = heard(other, "batch:drained");
  await until(() => embedder.active === 1, { what: "another worker to take over" });

  late.proxy.flow();
  late.embedder.release();
  expect(await ticket.embedding()).toEqual(vectorOf("one", 4));
  await scope.untilEmpty();
  embedder.release();
  await until(() => drained.length === 1, { what: "the other worker" });
  await expectStored(scope, ticket.version, "one");
  await scope.expectEmpty();
});

test("a late worker does not bring a deleted destination back", async () => {
  await using scope = await testScope();
  const producer = await scope.queue(SETTINGS);
  const ticket = await producer.enqueue("doc:0", "one");
  await using late = await startLate(scope);
  late.proxy.stall();
  await scope.worker({ embedder: new FakeEmbedder() });
  await ticket.embedding();
  await scope.untilEmpty();
  await scope.client.del("doc:0");

  late.embedder.release();
  late.proxy.flow();
  await until(() => late.drained.length === 1, { what: "the late worker" });
  expect(await scope.client.exists("doc:0")).toBe(0);
  await scope.expectEmpty();
});

test("a slow worker that kept its lease does not overwrite a newer text's vector", async () => {
  await using scope = await testScope();
  const producer = await scope.queue(SETTINGS);
  await producer.enqueue("doc:0", "old");
  const { slow, drained } = await startSlow(scope);
  const newer = await finishNewer(scope, producer);
  slow.release();
  await until(() => drained.length === 1, { what: "the slow worker" });
  await expectStored(scope, newer.version, "new");
  await scope.untilEmpty();
});

/** A worker behind a proxy, in the middle of a call. */
async function startLate(scope: Scope) {
  const proxy = await startProxy(scope.server.port);
  const embedder = new FakeEmbedder();
  embedder.hold();
  const worker = scope.newWorker({ redis: proxy.url, embedder, commandTimeoutMs: 2000 });
  const lost = heard(worker, "lease:lost");
  const drained = heard(worker, "batch:drained");
  await worker.start();
  await until(() => embedder.active === 1, { what: "the call" });
  return {
    embedder,
    proxy,
    lost,
    drained,
    async [Symbol.asyncDispose]() {
      embedder.release();
      proxy.flow();
      await worker.stop();
      await proxy.stop();
    },
  };
}

/** A worker that only takes long. */
async function startSlow(scope: Scope) {
  const slow = new FakeEmbedder();
  slow.hold();
  // One call at a time, so that it leaves the newer text to another worker.
  const worker = await scope.worker({ embedder: slow, concurrency: 1 });
  const drained = heard(worker, "batch:drained");
  await until(() => slow.active === 1, { what: "the call" });
  return { slow, drained };
}

async function finishNewer(scope: Scope, producer: EmbeddingQueue) {
  const newer = await producer.enqueue("doc:0", "new");
  const other = await scope.worker({ embedder: new FakeEmbedder() });
  expect(await newer.embedding()).toEqual(vectorOf("new", 4));
  await until(async () => !("doc:0" in (await scope.dedup())), { what: "the settle" });
  await other.stop();
  return newer;
}

async function expectStored(scope: Scope, version: number, text: string): Promise<void> {
  const { embedding_version } = await scope.destination("doc:0");
  expect(embedding_version).toBe(String(version));
  expect(await scope.vector("doc:0")).toEqual([...vectorOf(text, 4)]);
}
