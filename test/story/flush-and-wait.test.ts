// flushAndWait: everything outstanding at the call, an honest answer, and a wait that ends.

import { expect, test } from "bun:test";
import { FakeEmbedder, throwing } from "../helpers/embedder.ts";
import { watchCommands } from "../helpers/monitor.ts";
import { failure, heard, items, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";

test("flushAndWait drains what waits and says that all is done", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  await queue.enqueueMany(items(7));
  expect(await queue.flushAndWait()).toEqual({ done: true, remaining: 0 });
  await scope.expectEmpty();
  for (const { key, text } of items(7)) {
    expect(await scope.vector(key)).toEqual([...embedder.vectorOf(text)]);
  }
});

test("flushAndWait on an empty queue is done at once", async () => {
  await using scope = await testScope();
  const queue = await scope.queue();
  expect(await queue.flushAndWait()).toEqual({ done: true, remaining: 0 });
});

test("flushAndWait waits for work in flight in another process too", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.hold();
  await scope.worker({ embedder });
  const producer = await scope.queue();
  await producer.enqueue("doc:1", "in flight");
  await producer.flushNow();
  await until(() => embedder.active === 1, { what: "the call to begin" });
  let isOver = false;
  const flush = producer.flushAndWait().finally(() => {
    isOver = true;
  });
  await producer.stats(); // a round trip: a flush that did not wait would be over
  expect(isOver).toBe(false);
  embedder.release();
  expect(await flush).toEqual({ done: true, remaining: 0 });
  await scope.expectEmpty();
});

test("flushAndWait waits for retries in their backoff", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder().next(throwing(new Error("once")));
  const queue = await scope.queue({ embedder });
  const retried = heard(queue, "text:retried");
  await queue.enqueue("doc:1", "second attempt");
  expect(await queue.flushAndWait()).toEqual({ done: true, remaining: 0 });
  expect(retried).toHaveLength(1);
  expect(embedder.calls).toHaveLength(2);
  await scope.expectEmpty();
});

test("on timeout flushAndWait says how much of what it waited for is left, and loses nothing", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.hold();
  const queue = await scope.queue({ embedder, concurrency: 1 });
  const tickets = await queue.enqueueMany(items(60));
  await until(() => embedder.active === 1, { what: "the first call" });
  const flush = queue.flushAndWait({ timeoutMs: 100 });
  await queue.enqueueMany(items(5, "later"));
  expect(await flush).toEqual({ done: false, remaining: 60 });
  embedder.release();
  await Promise.all(tickets.map((ticket) => ticket.embedding()));
});

test("without any worker flushAndWait ends by its timeout", async () => {
  await using scope = await testScope();
  const producer = await scope.queue();
  await producer.enqueueMany(items(3));
  expect(await producer.flushAndWait({ timeoutMs: 50 })).toEqual({ done: false, remaining: 3 });
});

test("two flushAndWait at once both end", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  await scope.worker({ embedder });
  const [one, two] = [await scope.queue(), await scope.queue()];
  await one.enqueueMany(items(30));
  const results = await Promise.all([one.flushAndWait(), two.flushAndWait(), one.flushAndWait()]);
  expect(results.map(({ done }) => done)).toEqual([true, true, true]);
});

test("a signal ends flushAndWait with its reason; the texts stay", async () => {
  await using scope = await testScope();
  const producer = await scope.queue();
  await producer.enqueue("doc:1", "stays");
  const abort = new AbortController();
  const flush = producer.flushAndWait({ signal: abort.signal });
  abort.abort(new Error("enough"));
  expect(await failure(flush)).toMatchObject({ message: "enough" });
  const early = producer.flushAndWait({ signal: AbortSignal.abort(new Error("before")) });
  expect(await failure(early)).toMatchObject({ message: "before" });
  expect(await producer.pendingCount()).toBe(1);
});

test("stop ends a flushAndWait with ERR_STOPPED", async () => {
  await using scope = await testScope();
  const producer = await scope.queue();
  await producer.enqueue("doc:1", "stays");
  const flush = producer.flushAndWait();
  const failed = failure(flush);
  await producer.stop();
  expect(await failed).toMatchObject({ code: "ERR_STOPPED" });
});

test("flushAndWait waits for 15 seconds where nothing else is asked for", async () => {
  await using scope = await testScope();
  const producer = await scope.queue();
  await producer.enqueue("doc:1", "nobody drains it");
  await using seen = await watchCommands(scope.url);
  const looks = () => seen.commands.filter(({ command }) => command === "XRANGE").length;
  const { now } = performance;
  let aheadMs = 0;
  performance.now = () => now.call(performance) + aheadMs;
  try {
    let isOver = false;
    const flush = producer.flushAndWait().finally(() => {
      isOver = true;
    });
    await until(() => looks() === 1, { what: "the first look" });
    aheadMs = 12_000;
    await scope.client.publish(scope.keys.doorbell, "flushed");
    await until(() => looks() === 2, { what: "a look before the time is over" });
    await producer.stats();
    expect(isOver).toBe(false);
    aheadMs = 15_001;
    await scope.client.publish(scope.keys.doorbell, "flushed");
    expect(await flush).toEqual({ done: false, remaining: 1 });
  } finally {
    performance.now = now;
  }
});
