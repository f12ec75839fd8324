// Complaint 9: awaiting completion hangs, or races with it.

import { expect, test } from "bun:test";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { items, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";

test("complaint 9: a wait that begins after the vector was stored ends at once", async () => {
  await using scope = await testScope();
  const queue = await scope.queue({ embedder: new FakeEmbedder(), flushIntervalMs: 0 });
  const tickets = await queue.enqueueMany(items(2));
  await scope.untilEmpty();
  const late = await scope.queue();
  // With the first wait the queue also learns that events are heard; the second is only itself.
  for (const { key, version } of tickets) {
    const outcome = late.ticket(key, version).outcome({ timeoutMs: 5_000 });
    expect((await outcome).status).toBe("embedded");
  }
});

test("complaint 9: a wait for a text that a newer one replaced ends with the newer one's vector", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  const older = await queue.enqueue("doc:1", "older");
  const waiting = older.outcome({ timeoutMs: 10_000 });
  await queue.enqueue("doc:1", "newer");
  await queue.flushNow();
  expect(await waiting).toMatchObject({ status: "embedded", superseded: true });
  expect(await scope.vector("doc:1")).toEqual([...embedder.vectorOf("newer")]);
});

test("complaint 9: waits outlive the loss of every connection", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.hold();
  const queue = await scope.queue({ embedder });
  const tickets = await queue.enqueueMany(items(50));
  const waits = tickets.map((ticket) => ticket.outcome({ timeoutMs: 20_000 }));
  await until(() => embedder.active === 1, { what: "the call" });
  for (const type of ["NORMAL", "PUBSUB"]) {
    await scope.client.sendCommand(["CLIENT", "KILL", "TYPE", type, "SKIPME", "yes"]);
  }
  embedder.release();
  const ends = await Promise.allSettled(waits);
  const wanted = { status: "fulfilled", value: expect.objectContaining({ status: "embedded" }) };
  expect(ends as unknown[]).toEqual(Array(50).fill(wanted));
});
