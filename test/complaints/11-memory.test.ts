// Complaint 11: Redis fills up with finished jobs, events and acknowledged entries.

import { expect, test } from "bun:test";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { items, testScope } from "../helpers/scope.ts";

test("complaint 11: of finished work nothing is left in the queue's own keys", async () => {
  await using scope = await testScope();
  const queue = await scope.queue({ embedder: new FakeEmbedder() });
  const sizeOf = async () => {
    let bytes = 0;
    for (const key of scope.keys.all) bytes += (await scope.client.memoryUsage(key)) ?? 0;
    return bytes;
  };
  await queue.enqueueMany(items(1000));
  await scope.untilEmpty();
  const after1000 = await sizeOf();
  await queue.enqueueMany(items(5000, "more"));
  await scope.untilEmpty();
  // Counters have more digits by now; nothing grows with the number of texts.
  expect((await sizeOf()) - after1000).toBeLessThan(1000);
  expect(await scope.client.xLen(scope.keys.pending)).toBe(0);
});
