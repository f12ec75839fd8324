// A module with work of every kind is taken over while it lives: nothing of it is lost or left behind.

import { expect, test } from "bun:test";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";
import {
  DONE_PREFIX,
  EMPTY,
  float32Bytes,
  listenForDone,
  memberOf,
  PythonModule,
} from "./module.ts";

test("what waits, what a dead worker held and what was tried before is embedded, and its waiters hear of it", async () => {
  await using scope = await testScope();
  await using done = await listenForDone(scope.client);
  const longAgo = new PythonModule(scope.client, -1000);
  const module = new PythonModule(scope.client);
  for (let i = 0; i < 3; i++) await longAgo.enqueue(`orphan:${i}`, `orphan ${i}`);
  await longAgo.claim(3);
  for (let i = 0; i < 3; i++) await module.enqueue(`tried:${i}`, `tried ${i}`);
  await module.requeue(await module.claim(3));
  for (let i = 0; i < 250; i++) await module.enqueue(`msg:${i}`, `Grüße ${i} 👋`);
  await module.enqueue("msg:7", "a newer text");

  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder, maxBatchSize: 50, doneChannelPrefix: DONE_PREFIX });
  const result = await queue.takeOver();
  expect(result).toEqual({
    enqueued: 256,
    known: 0,
    superseded: 0,
    malformed: 0,
    problems: [],
    left: 0,
    done: true,
  });
  expect(await module.state()).toEqual(EMPTY);
  await queue.flushAndWait();

  const texts = new Map<string, string>();
  for (let i = 0; i < 3; i++) {
    texts.set(`orphan:${i}`, `orphan ${i}`).set(`tried:${i}`, `tried ${i}`);
  }
  for (let i = 0; i < 250; i++) texts.set(`msg:${i}`, i === 7 ? "a newer text" : `Grüße ${i} 👋`);
  for (const [key, text] of texts) {
    const { bytes } = await scope.destination(key);
    expect(bytes).toEqual(float32Bytes(embedder.vectorOf(text)));
  }
  expect(embedder.texts.toSorted()).toEqual([...texts.values()].toSorted());
  await until(() => done.keys.length === texts.size, { what: "a message for each key" });
  expect(done.keys.toSorted()).toEqual([...texts.keys()].toSorted());
});

test("what a live worker of the module holds is left to it, and counted", async () => {
  await using scope = await testScope();
  const module = new PythonModule(scope.client);
  for (let i = 0; i < 5; i++) await module.enqueue(`msg:${i}`, `text ${i}`);
  const batch = await module.claim(2);
  const queue = await scope.queue();
  expect(await queue.takeOver()).toMatchObject({ enqueued: 3, left: 2, done: true });
  const embedder = new FakeEmbedder();
  await module.finish(batch, (text) => embedder.vectorOf(text));
  expect(await module.state()).toEqual(EMPTY);
  expect(await queue.takeOver()).toMatchObject({ enqueued: 0, left: 0 });
  expect(await queue.pendingCount()).toBe(3);
});

test("a text that the module has a newer one of is dropped, wherever the newer one is", async () => {
  await using scope = await testScope();
  const longAgo = new PythonModule(scope.client, -1000);
  const module = new PythonModule(scope.client);
  await longAgo.enqueue("waits", "old");
  await longAgo.enqueue("held", "old");
  await longAgo.claim(2);
  await module.enqueue("held", "new");
  const held = await module.claim(1);
  await module.enqueue("waits", "new");
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  expect(await queue.takeOver()).toMatchObject({ enqueued: 1, superseded: 2, left: 1 });
  await module.finish(held, (text) => embedder.vectorOf(text));
  await queue.flushAndWait();
  expect(embedder.texts).toEqual(["new"]);
  expect(await scope.vector("held")).toEqual([...embedder.vectorOf("new")]);
  expect(await module.state()).toEqual(EMPTY);
});

test("a text whose newer one the module has lost is taken all the same", async () => {
  await using scope = await testScope();
  const module = new PythonModule(scope.client, -1000);
  await module.enqueue("msg:1", "old");
  await module.claim(1);
  // Killed within an enqueue: dedup names what is in no set.
  await scope.client.hSet("embed_queue:dedup", "msg:1", memberOf("msg:1", "lost"));
  const queue = await scope.queue();
  expect(await queue.takeOver()).toMatchObject({ enqueued: 1, superseded: 0 });
});

test("a vector that the module stored does not pass for that of another text", async () => {
  await using scope = await testScope();
  const module = new PythonModule(scope.client);
  const embedder = new FakeEmbedder();
  await module.enqueue("msg:1", "first");
  await module.finish(await module.claim(1), (text) => embedder.vectorOf(text));
  await module.enqueue("msg:1", "second");
  const queue = await scope.queue({ embedder, skipUnchanged: true });
  await queue.takeOver();
  await queue.flushAndWait();
  expect(await scope.vector("msg:1")).toEqual([...embedder.vectorOf("second")]);
});

test("other names of the module's keys, and small steps", async () => {
  await using scope = await testScope();
  for (let i = 0; i < 25; i++) {
    await scope.client.zAdd("other:pending", {
      score: i,
      value: memberOf(`msg:${i}`, `text ${i}`),
    });
  }
  const queue = await scope.queue();
  const steps: number[] = [];
  const result = await queue.takeOver({
    prefix: "other",
    chunkSize: 10,
    onProgress: ({ enqueued }) => {
      steps.push(enqueued);
    },
  });
  expect(result.enqueued).toBe(25);
  expect(steps).toEqual([10, 20, 25]);
  expect(await scope.client.keys("other:*")).toEqual([]);
});

test("a signal ends it after the step under way", async () => {
  await using scope = await testScope();
  const module = new PythonModule(scope.client);
  for (let i = 0; i < 30; i++) await module.enqueue(`msg:${i}`, `text ${i}`);
  const queue = await scope.queue();
  const ending = new AbortController();
  const result = await queue.takeOver({
    chunkSize: 10,
    signal: ending.signal,
    onProgress: () => ending.abort(),
  });
  expect(result).toMatchObject({ enqueued: 10, done: false });
  expect(await module.state()).toMatchObject({ inflight: [], taken: [] });
  expect((await module.state()).pending).toHaveLength(20);
});

test("a blank text gets its zero vector at once, and its waiter hears of it", async () => {
  await using scope = await testScope();
  await using done = await listenForDone(scope.client);
  await scope.client.zAdd("embed_queue:pending", { score: 1, value: memberOf("msg:1", " \n") });
  const queue = await scope.queue({ model: "m", dimensions: 2, doneChannelPrefix: DONE_PREFIX });
  expect(await queue.takeOver()).toMatchObject({ enqueued: 1 });
  expect(await scope.vector("msg:1")).toEqual([0, 0]);
  await until(() => done.keys.length > 0, { what: "a message" });
  expect(done.keys).toEqual(["msg:1"]);
});
