// Redis goes away and comes back, in the ways that networks know. Queue, worker and waits go on
// without a restart, and nothing that was accepted is lost.

import { expect, test } from "bun:test";
import type { EmbeddingQueue, Ticket } from "../../src/index.ts";
import { FakeEmbedder, vectorOf } from "../helpers/embedder.ts";
import { type Proxy as NetworkProxy, startProxy } from "../helpers/proxy.ts";
import { heard, items, type Scope, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";
import { startFront } from "./front.ts";
import { untilHeard } from "./pubsub.ts";

const TEXTS = items(120);
const QUICK = { commandTimeoutMs: 1000 };

interface Outage {
  begin(scope: Scope, proxy: NetworkProxy): unknown;
  end(scope: Scope, proxy: NetworkProxy): unknown;
}

const OUTAGES: Record<string, Outage> = {
  "connections are cut and refused": {
    async begin(_, proxy) {
      await proxy.refuse();
      proxy.cut();
    },
    end: (_, proxy) => proxy.accept(),
  },
  "connections stand and nothing passes": {
    begin: (_, proxy) => proxy.stall(),
    end: (_, proxy) => proxy.flow(),
  },
  "Redis is frozen": {
    begin: ({ server }) => server.kill("SIGSTOP"),
    end: ({ server }) => server.kill("SIGCONT"),
  },
  "Redis dies and restarts": {
    begin: ({ server }) => server.kill("SIGKILL"),
    end: ({ server }) => server.restart(),
  },
};

for (const [name, outage] of Object.entries(OUTAGES)) {
  test(`work and waits go on after ${name}`, async () => {
    await using scope = await testScope({
      args: ["--appendonly", "yes", "--appendfsync", "always"],
    });
    await using proxy = await startProxy(scope.server.port);
    const embedder = new FakeEmbedder();
    embedder.hold();
    const options = { redis: proxy.url, ...QUICK };
    const queue = await scope.queue({ ...options, flushIntervalMs: 0 });
    const worker = await scope.worker({ ...options, embedder });
    const failures = heard(worker, "worker:failed");
    const tickets = await queue.enqueueMany(TEXTS);
    const vectors = Promise.all(tickets.map((ticket) => ticket.embedding()));
    await untilHeard(scope, TEXTS.length);
    await until(() => embedder.active > 0, { what: "calls under way" });

    await outage.begin(scope, proxy);
    // Calls end while their results cannot be stored.
    embedder.release();
    await expectUnavailable(queue);
    await until(() => failures.length > 1, { what: "the worker to notice" });
    await outage.end(scope, proxy);

    expect(await vectors).toEqual(TEXTS.map(({ text }) => vectorOf(text, 4)));
    const late = await untilAccepted(queue, "late");
    expect(await late.embedding({ timeoutMs: 10_000 })).toEqual(vectorOf("late", 4));
    await scope.untilEmpty();
    expect(await scope.dead()).toEqual([]);
    await Promise.all([queue.stop(), worker.stop()]);
  }, 30_000);
}

test("what failed while Redis was away is not sent when it is back", async () => {
  await using scope = await testScope();
  await using proxy = await startProxy(scope.server.port);
  const cutOff = await scope.queue({ redis: proxy.url, ...QUICK });
  const elsewhere = await scope.queue();
  // So that Redis knows the scripts by their SHA.
  await elsewhere.cancel("doc:0");
  await elsewhere.resume();
  await elsewhere.pause();
  await elsewhere.resume();
  await proxy.refuse();
  proxy.cut();
  const refused = { code: "ERR_REDIS_UNAVAILABLE" };
  await expect(cutOff.enqueue("doc:0", "old")).rejects.toMatchObject(refused);
  await expect(cutOff.cancel("doc:0")).rejects.toMatchObject(refused);
  await expect(cutOff.pause()).rejects.toMatchObject(refused);

  await elsewhere.enqueue("doc:0", "new");
  await proxy.accept();
  await until(() => cutOff.stats(), { what: "the connection" });
  expect(await elsewhere.stats()).toMatchObject({ pending: 1, isPaused: false });
  expect((await scope.dedup())["doc:0"]).toEndWith("\nnew");
  await cutOff.stop();
});

test("a start on a connection that is never answered fails as unavailable", async () => {
  await using scope = await testScope();
  await using front = await startFront(scope.server.port);
  front.isMute = true;
  const queue = scope.newQueue({ redis: front.url, ...QUICK });
  await expect(queue.start()).rejects.toMatchObject({ code: "ERR_REDIS_UNAVAILABLE" });
  front.isMute = false;
  await queue.start();
  expect(await queue.pendingCount()).toBe(0);
  await queue.stop();
});

test("a connection that is taken and never answered is given up", async () => {
  await using scope = await testScope();
  await using front = await startFront(scope.server.port);
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ redis: front.url, ...QUICK, embedder, flushIntervalMs: 0 });
  front.isMute = true;
  front.cut();
  await until(() => front.muted >= 2, { what: "both connections to be taken" });
  await expectUnavailable(queue);
  front.isMute = false;
  const ticket = await untilAccepted(queue, "one");
  expect(await ticket.embedding({ timeoutMs: 10_000 })).toEqual(vectorOf("one", 4));
  await queue.stop();
}, 30_000);

async function expectUnavailable(queue: EmbeddingQueue): Promise<void> {
  await expect(queue.enqueue("doc:refused", "refused")).rejects.toMatchObject({
    code: "ERR_REDIS_UNAVAILABLE",
  });
}

/** The first call after an outage may still meet it. */
function untilAccepted(queue: EmbeddingQueue, text: string): Promise<Ticket> {
  return until(() => queue.enqueue("doc:late", text), { what: "an enqueue", timeoutMs: 10_000 });
}
