// The module goes on while two take-overs and a worker of embedq run: producers, workers, restarts.

import { expect, test } from "bun:test";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";
import { DONE_PREFIX, EMPTY, float32Bytes, listenForDone, PythonModule } from "./module.ts";

test("a module with two workers that fail now and then, and two take-overs: every text is embedded and told of", async () => {
  await using scope = await testScope();
  await using done = await listenForDone(scope.client);
  const embedder = new FakeEmbedder();
  const queues = [await scope.queue(), await scope.queue()];
  const worker = {
    embedder,
    maxBatchSize: 20,
    flushIntervalMs: 20,
    doneChannelPrefix: DONE_PREFIX,
  };
  await scope.worker(worker);
  const module = new PythonModule(scope.client);
  const texts = new Map<string, string>();
  let isProduced = false;
  let taken = 0;
  let finished = 0;

  const produce = async (producer: number) => {
    for (let i = 0; i < 200; i += 20) {
      const keys = Array.from({ length: 20 }, (_, n) => `msg:${producer}:${i + n}`);
      for (const key of keys) texts.set(key, `text of ${key}`);
      await Promise.all(keys.map((key) => module.enqueue(key, `text of ${key}`)));
    }
  };
  const work = async () => {
    for (let round = 0; !isProduced; round++) {
      const batch = await module.claim(3);
      // One worker in five dies in the middle: at its next start the texts are reclaimed, or we take them.
      if (round % 5 === 0) continue;
      if (round % 5 === 1) await module.requeue(batch);
      else if (batch.length > 0) {
        await module.finish(batch, (text) => embedder.vectorOf(text));
        finished += batch.length;
      }
    }
  };
  const take = async (queue: (typeof queues)[number]) => {
    while (!isProduced) {
      const { enqueued } = await queue.takeOver({ chunkSize: 7 });
      taken += enqueued;
    }
  };
  const producing = Promise.all([0, 1, 2].map(produce)).then(() => {
    isProduced = true;
  });
  await Promise.all([producing, work(), work(), ...queues.map(take)]);
  // The module is stopped: what its dead workers held is nobody's.
  await queues[0]?.takeOver({ inFlightAfterMs: 0 });
  await queues[0]?.flushAndWait();
  expect(taken).toBeGreaterThan(0);
  expect(finished).toBeGreaterThan(0);
  expect(await module.state()).toEqual(EMPTY);
  for (const [key, text] of texts) {
    expect((await scope.destination(key)).bytes).toEqual(float32Bytes(embedder.vectorOf(text)));
  }
  const missing = () => [...texts.keys()].filter((key) => !done.keys.includes(key));
  await until(() => missing().length === 0, { what: "a message for each key" });
});

test("the module's producers and embedq's write the same keys while two take-overs run: the last text wins", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queues = [await scope.queue(), await scope.queue()] as const;
  await scope.worker({ embedder, maxBatchSize: 10, flushIntervalMs: 10 });
  const module = new PythonModule(scope.client);
  const last = new Map<string, string>();
  let isProduced = false;
  const produce = async (producer: number) => {
    for (let i = 0; i < 150; i++) {
      // Each key has one producer, who is moved from one queue to the other and back.
      const key = `msg:${producer}:${i % 5}`;
      const text = `text ${i} of ${key}`;
      last.set(key, text);
      if (i % 3 === 0) await queues[0].enqueue(key, text);
      else await module.enqueue(key, text);
    }
  };
  const take = async (queue: (typeof queues)[number]) => {
    while (!isProduced) await queue.takeOver({ chunkSize: 3 });
  };
  const producing = Promise.all([0, 1, 2, 3].map(produce)).then(() => {
    isProduced = true;
  });
  await Promise.all([producing, ...queues.map(take)]);
  await queues[0].takeOver();
  await queues[0].flushAndWait();
  expect(await module.state()).toEqual(EMPTY);
  for (const [key, text] of last) {
    expect(await scope.vector(key)).toEqual([...embedder.vectorOf(text)]);
  }
});
