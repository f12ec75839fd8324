// Stopping: calls in flight may end, the rest goes back for others at once, nothing is lost.

import { expect, test } from "bun:test";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { failure, heard, items, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";

test("stop waits for the call in flight and settles it", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.hold();
  const worker = await scope.worker({ embedder, stopTimeoutMs: 10_000 });
  const stopped = heard(worker, "worker:stopped");
  const producer = await scope.queue();
  await producer.enqueueMany(items(3));
  await producer.flushNow();
  await until(() => embedder.active === 1, { what: "the call to begin" });
  const stop = worker.stop();
  await producer.enqueue("later", "not claimed any more");
  await producer.flushNow();
  embedder.release();
  await stop;
  expect(stopped).toMatchObject([{ handedBack: 0 }]);
  expect(embedder.calls).toHaveLength(1);
  expect(await producer.stats()).toMatchObject({ waiting: 1, inFlight: 0, parked: 0, workers: [] });
});

test("stop hands back what takes longer than stopTimeoutMs, and another worker has it at once", async () => {
  await using scope = await testScope();
  const stuck = new FakeEmbedder();
  stuck.hold();
  const first = await scope.worker({ embedder: stuck, stopTimeoutMs: 20 });
  const stopped = heard(first, "worker:stopped");
  const producer = await scope.queue();
  const tickets = await producer.enqueueMany(items(3));
  await producer.flushNow();
  await until(() => stuck.active === 1, { what: "the call to begin" });
  const embedder = new FakeEmbedder();
  await scope.worker({ embedder });
  await first.stop();
  expect(stopped).toMatchObject([{ handedBack: 3 }]);
  const vectors = await Promise.all(tickets.map((ticket) => ticket.embedding({ timeoutMs: 5000 })));
  expect(vectors).toEqual(items(3).map(({ text }) => embedder.vectorOf(text)));
  await scope.untilEmpty();
  expect(await scope.retries()).toEqual({});
});

test("what is handed back stands parked, claimable at once, with its delivery taken off", async () => {
  await using scope = await testScope();
  const stuck = new FakeEmbedder();
  stuck.hold();
  const worker = await scope.worker({ embedder: stuck, stopTimeoutMs: 0 });
  const producer = await scope.queue();
  await producer.enqueue("doc:1", "text");
  await producer.flushNow();
  await until(() => stuck.active === 1, { what: "the call to begin" });
  await worker.stop();
  const [entry] = await scope.group();
  expect(entry).toMatchObject({ consumer: "parked", deliveries: 0 });
  expect(entry?.idleMs).toBeGreaterThanOrEqual(60_000);
  expect(await producer.stats()).toMatchObject({ waiting: 0, inFlight: 0, parked: 1, workers: [] });
});

test("work handed back reaches all idle workers, not only the first one that hears of it", async () => {
  await using scope = await testScope();
  const stuck = new FakeEmbedder();
  stuck.hold();
  const first = await scope.worker({ embedder: stuck, stopTimeoutMs: 20, concurrency: 3 });
  const producer = await scope.queue();
  await producer.enqueueMany(items(150));
  await until(() => stuck.active === 3, { what: "three calls" });
  // Three workers that can make one call each, which does not end before all three have begun.
  const embedder = new FakeEmbedder();
  embedder.hold();
  for (let n = 0; n < 3; n++) await scope.worker({ embedder, concurrency: 1 });
  await first.stop();
  await until(() => embedder.active === 3, { what: "every idle worker to have a batch" });
  embedder.release();
  await scope.untilEmpty();
});

test("stop may be called twice, and before a start", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const worker = await scope.worker({ embedder });
  const stopped = heard(worker, "worker:stopped");
  await Promise.all([worker.stop(), worker.stop()]);
  await worker.stop();
  expect(stopped).toHaveLength(1);
  const unstarted = scope.newQueue({ embedder });
  await unstarted.stop();
  expect(await failure(unstarted.start())).toMatchObject({ code: "ERR_STOPPED" });
});

test("stop during start ends in a stopped queue that left nothing behind", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = scope.newQueue({ embedder });
  const start = queue.start().catch(() => {});
  await queue.stop();
  await start;
  expect(await failure(queue.enqueue("doc:1", "text"))).toMatchObject({ code: "ERR_STOPPED" });
});

test("a stopped queue refuses work and ends its waits with ERR_STOPPED", async () => {
  await using scope = await testScope();
  const queue = await scope.queue();
  const ticket = await queue.enqueue("doc:1", "text");
  const failed = failure(ticket.outcome());
  await queue.stats();
  await queue.stop();
  expect(await failed).toMatchObject({ code: "ERR_STOPPED" });
  expect(await failure(ticket.outcome())).toMatchObject({ code: "ERR_STOPPED" });
  expect(await failure(queue.enqueue("doc:1", "text"))).toMatchObject({ code: "ERR_STOPPED" });
  expect(await failure(queue.stats())).toMatchObject({ code: "ERR_STOPPED" });
});

test("an unstarted queue refuses work with ERR_NOT_STARTED", async () => {
  await using scope = await testScope();
  const queue = scope.newQueue();
  expect(await failure(queue.enqueue("doc:1", "text"))).toMatchObject({ code: "ERR_NOT_STARTED" });
});

test("await using stops the queue and the worker", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const inside = async () => {
    await using queue = await scope.queue();
    await using worker = await scope.worker({ embedder });
    const stopped = heard(worker, "worker:stopped");
    const ticket = await queue.enqueue("doc:1", "text");
    await queue.flushAndWait();
    expect(await ticket.embedding()).toEqual(embedder.vectorOf("text"));
    return { queue, stopped };
  };
  const { queue, stopped } = await inside();
  expect(stopped).toHaveLength(1);
  expect(await failure(queue.stats())).toMatchObject({ code: "ERR_STOPPED" });
});

test("a started queue can be started again without harm, and a failed start can be repeated", async () => {
  await using scope = await testScope();
  const queue = await scope.queue();
  await queue.start();
  await scope.client.hSet(scope.keys.settings, "protocol", "99");
  const refused = scope.newQueue();
  expect(await failure(refused.start())).toMatchObject({ code: "ERR_PROTOCOL_NEWER" });
  await scope.client.hSet(scope.keys.settings, "protocol", "1");
  await refused.start();
  expect(await refused.pendingCount()).toBe(0);
});
