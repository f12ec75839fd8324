// Every wait ends, and takes its channel with it: by its result, its time, its signal, or the stop.

import { expect, test } from "bun:test";
import { FakeEmbedder, vectorOf } from "../helpers/embedder.ts";
import { items, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";
import { heardKeys, untilHeard } from "./pubsub.ts";

test("a wait that takes too long ends with ERR_WAIT_TIMEOUT and its channel is released", async () => {
  await using scope = await testScope();
  const queue = await scope.queue();
  const tickets = await queue.enqueueMany(items(100));
  const ends = await Promise.allSettled(tickets.map((ticket) => ticket.outcome({ timeoutMs: 50 })));
  for (const end of ends) {
    expect(end).toMatchObject({ status: "rejected", reason: { code: "ERR_WAIT_TIMEOUT" } });
  }
  await untilHeard(scope, 0);
  expect(await queue.pendingCount()).toBe(100);
});

test("a wait whose signal is raised ends with the signal's reason; others of the key go on", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.hold();
  const queue = await scope.queue({ embedder, flushIntervalMs: 0 });
  const ticket = await queue.enqueue("doc:0", "one");
  const abort = new AbortController();
  const patient = ticket.embedding();
  const impatient = ticket.embedding({ signal: abort.signal });
  await untilHeard(scope, 1);
  const reason = new Error("the user went away");
  abort.abort(reason);
  await expect(impatient).rejects.toBe(reason);
  await expect(ticket.outcome({ signal: abort.signal })).rejects.toBe(reason);
  expect(await heardKeys(scope)).toEqual(["doc:0"]);
  embedder.release();
  expect(await patient).toEqual(vectorOf("one", 4));
  await untilHeard(scope, 0);
});

test("one signal ends a thousand waits and none of their listeners stays", async () => {
  await using scope = await testScope();
  const queue = await scope.queue();
  const tickets = await queue.enqueueMany(items(1000));
  const { signal, controller, listeners } = countedSignal();
  const ends = Promise.allSettled(tickets.map((ticket) => ticket.outcome({ signal })));
  await untilHeard(scope, 1000);
  expect(listeners()).toBe(1000);
  controller.abort(new Error("enough"));
  const messages = (await ends).map((end) => end.status === "rejected" && String(end.reason));
  expect(new Set(messages)).toEqual(new Set(["Error: enough"]));
  await untilHeard(scope, 0);
  expect(listeners()).toBe(0);
});

test("listeners are taken off the signal of a wait that ended well", async () => {
  await using scope = await testScope();
  const queue = await scope.queue({ embedder: new FakeEmbedder(), flushIntervalMs: 0 });
  const { signal, listeners } = countedSignal();
  const tickets = await queue.enqueueMany(items(100));
  await Promise.all(tickets.map((ticket) => ticket.outcome({ signal })));
  expect(listeners()).toBe(0);
});

for (const timeoutMs of [2 ** 31, 1e15, Number.POSITIVE_INFINITY]) {
  test(`a wait may have more time than a timer can hold: ${timeoutMs} ms`, async () => {
    await using scope = await testScope();
    const embedder = new FakeEmbedder();
    embedder.hold();
    const queue = await scope.queue({ embedder, flushIntervalMs: 0 });
    const ticket = await queue.enqueue("doc:0", "one");
    const vector = ticket.embedding({ timeoutMs });
    vector.catch(() => {});
    await until(() => embedder.active === 1, { what: "the call" });
    embedder.release();
    expect(await vector).toEqual(vectorOf("one", 4));
  });
}

test("a stop ends waits with ERR_STOPPED, and also those that begin after it", async () => {
  await using scope = await testScope();
  const queue = await scope.queue();
  const tickets = await queue.enqueueMany(items(500));
  const ends = Promise.allSettled(tickets.map((ticket) => ticket.outcome()));
  await untilHeard(scope, 500);
  await queue.stop();
  const late = tickets.map((ticket) => ticket.outcome());
  for (const end of [...(await ends), ...(await Promise.allSettled(late))]) {
    expect(end).toMatchObject({ status: "rejected", reason: { code: "ERR_STOPPED" } });
  }
  await untilHeard(scope, 0);
});

test("a stop ends waits in every state of being subscribed to", async () => {
  await using scope = await testScope();
  for (let turns = 0; turns < 40; turns++) {
    const queue = await scope.queue();
    const tickets = await queue.enqueueMany(items(20));
    const ends = Promise.allSettled(tickets.map((ticket) => ticket.outcome()));
    // So many turns of the event loop after the waits began.
    for (let i = 0; i < turns; i++) await new Promise(setImmediate);
    await queue.stop();
    for (const end of await ends) {
      expect(end).toMatchObject({ status: "rejected", reason: { code: "ERR_STOPPED" } });
    }
  }
});

test("a write to another field by a foreign hand does not end a wait", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.hold();
  const queue = await scope.queue({ embedder, flushIntervalMs: 0 });
  const ticket = await queue.enqueue("doc:0", "one");
  let isOver = false;
  const outcome = ticket.outcome().finally(() => {
    isOver = true;
  });
  await untilHeard(scope, 1);
  for (let i = 0; i < 100; i++) await scope.client.hSet("doc:0", "title", `title ${i}`);
  // An older vector, as a late worker's would be, and damaged versions.
  const older = { embedding_status: "embedded", embedding: "1234123412341234" };
  for (const version of [String(ticket.version - 1), "-1", "1e300", "x", "", "9".repeat(25)]) {
    await scope.client.hSet("doc:0", { ...older, embedding_version: version });
  }
  await scope.client.hDel("doc:0", ["title", "embedding", "embedding_status", "embedding_version"]);
  await queue.stats();
  expect(isOver).toBe(false);
  embedder.release();
  expect(await outcome).toMatchObject({ status: "embedded", version: ticket.version });
});

test("a wait in one process hears the work done in another", async () => {
  await using scope = await testScope();
  const producer = await scope.queue();
  const elsewhere = await scope.queue();
  const embedder = new FakeEmbedder();
  const tickets = await producer.enqueueMany(items(100));
  const copies = tickets.map((ticket) => {
    const { key, version } = JSON.parse(JSON.stringify(ticket)) as typeof ticket;
    return elsewhere.ticket(key, version);
  });
  const outcomes = Promise.all(copies.map((ticket) => ticket.outcome()));
  await untilHeard(scope, 100);
  await scope.worker({ embedder });
  expect((await outcomes).map(({ status }) => status)).toEqual(copies.map(() => "embedded"));
  await until(() => embedder.texts.length === 100, { what: "all texts" });
});

/** A signal that tells how many listeners it has. */
function countedSignal() {
  const controller = new AbortController();
  const { signal } = controller;
  let count = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  const known = new Set<unknown>();
  signal.addEventListener = ((type: string, listener: () => void, options?: object) => {
    if (!known.has(listener)) count++;
    known.add(listener);
    add(type as "abort", listener, options);
  }) as typeof signal.addEventListener;
  signal.removeEventListener = ((type: string, listener: () => void) => {
    if (known.delete(listener)) count--;
    remove(type as "abort", listener);
  }) as typeof signal.removeEventListener;
  return { controller, signal, listeners: () => count };
}
