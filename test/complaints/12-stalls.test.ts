// Complaint 12: live work is taken away from its worker, or crash loops go on for ever.

import { expect, test } from "bun:test";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { heard, items, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";

test("complaint 12: a call that takes many leases is not made a second time", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.hold();
  const worker = await scope.worker({ embedder, leaseMs: 200 });
  await scope.worker({ embedder });
  const lost = heard(worker, "lease:lost");
  const producer = await scope.queue({ model: "fake-1", dimensions: 4 });
  const tickets = await producer.enqueueMany(items(50));
  await until(() => embedder.active === 1, { what: "the call" });
  // Redis' own clock tells that several leases have passed.
  const from = (await scope.client.time()).getTime();
  await until(async () => (await scope.client.time()).getTime() - from > 1000, {
    what: "five leases to pass",
  });
  embedder.release();
  for (const ticket of tickets) expect((await ticket.outcome()).status).toBe("embedded");
  expect(embedder.calls).toHaveLength(1);
  expect(lost).toEqual([]);
});

test("complaint 12: a text whose workers die is given up after four deliveries, and the others are embedded", async () => {
  await using scope = await testScope();
  const producer = await scope.queue({
    model: "fake-1",
    dimensions: 4,
    leaseMs: 50,
    flushIntervalMs: 0,
  });
  const [killer] = await producer.enqueueMany([{ key: "doc:killer", text: "kills" }]);
  for (let death = 0; death < 4; death++) {
    // A worker that took it and is never heard of again.
    if (death === 0) await scope.abandon(1, "ghost-0");
    else {
      const [id] = (await scope.client.xRange(scope.keys.pending, "-", "+")).map(({ id }) => id);
      await scope.client.sendCommand([
        ...["XCLAIM", scope.keys.pending, "embedders", `ghost-${death}`, "0", id ?? ""],
        ...["RETRYCOUNT", String(death + 1), "JUSTID"],
      ]);
    }
  }
  const embedder = new FakeEmbedder();
  await scope.worker({ embedder });
  expect((await killer?.outcome({ timeoutMs: 10_000 }))?.status).toBe("dead");
  expect(embedder.texts).not.toContain("kills");
  const tickets = await producer.enqueueMany(items(50));
  for (const ticket of tickets) expect((await ticket.outcome()).status).toBe("embedded");
});
