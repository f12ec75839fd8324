// Complaint 10: dedup keeps the old text, loses the update that comes while the old one is under
// way, and a text that is updated often is never embedded.

import { expect, test } from "bun:test";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";

test("complaint 10: an update while the text waits replaces it, and costs one call", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  await queue.enqueue("doc:1", "old");
  const ticket = await queue.enqueue("doc:1", "new");
  await queue.flushNow();
  await ticket.outcome();
  expect(embedder.texts).toEqual(["new"]);
});

test("complaint 10: an update while the old text is under way is embedded after it", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.hold();
  const queue = await scope.queue({ embedder });
  await queue.enqueue("doc:1", "old");
  await queue.flushNow();
  await until(() => embedder.active === 1, { what: "the old text to be under way" });
  // It waits for a flush of its own, so that the old one ends before.
  const ticket = await queue.enqueue("doc:1", "new");
  embedder.release();
  await until(async () => (await queue.stats()).inFlight === 0, { what: "the old text's end" });
  await queue.flushNow();
  await ticket.outcome({ timeoutMs: 5_000 });
  await scope.untilEmpty();
  expect(await scope.vector("doc:1")).toEqual([...embedder.vectorOf("new")]);
});

test("complaint 10: a text that is updated without end is embedded all the same", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder, flushIntervalMs: 200 });
  let updates = 0;
  await until(
    async () => {
      await queue.enqueue("doc:1", `update ${updates++}`);
      return embedder.calls.length > 0;
    },
    { what: "a call although the updates go on", everyMs: 5 },
  );
  expect(updates).toBeGreaterThan(1);
});
