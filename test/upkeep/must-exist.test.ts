// A queue that must exist: a mistyped name is an error, and leaves nothing in Redis.

import { expect, test } from "bun:test";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { failure, items, testScope } from "../helpers/scope.ts";

test("mustExist refuses a queue that Redis does not know, and nothing is written", async () => {
  await using scope = await testScope();
  const options = { maxBatchSize: 7, embedder: new FakeEmbedder(), mustExist: true };
  const error = await failure(scope.newQueue(options).start());
  expect(error).toMatchObject({ code: "ERR_QUEUE_MISSING" });
  expect((error as Error).message).toContain(JSON.stringify(scope.name));
  expect(await scope.client.keys("*")).toEqual([]);
});

test("the same start works once another process has begun the queue", async () => {
  await using scope = await testScope();
  const queue = scope.newQueue({ mustExist: true });
  expect(await failure(queue.start())).toMatchObject({ code: "ERR_QUEUE_MISSING" });
  const producer = await scope.queue({ maxBatchSize: 7 });
  await producer.enqueueMany(items(3));
  await queue.start();
  expect(queue.settings.maxBatchSize).toBe(7);
  expect(await queue.stats()).toMatchObject({ waiting: 3 });
});

test("a conflict of settings is still one, and mustExist must be true or false", async () => {
  await using scope = await testScope();
  await scope.queue({ maxBatchSize: 7 });
  const other = scope.newQueue({ maxBatchSize: 8, mustExist: true });
  expect(await failure(other.start())).toMatchObject({ code: "ERR_SETTINGS_CONFLICT" });
  const wrong = { mustExist: "yes" as unknown as boolean };
  expect(() => scope.newQueue(wrong)).toThrow("`mustExist` as it must be true or false");
});
