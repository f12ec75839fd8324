// Orderly returns: they take their delivery off the count, and an outage spends no attempt.

import { expect, test } from "bun:test";
import { EmbedderError } from "../../src/model/errors.ts";
import { FakeEmbedder, httpError, throwing } from "../helpers/embedder.ts";
import { testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";
import { numbersOf, openRig } from "./helpers/rig.ts";
import { startWorker } from "./helpers/worker.ts";

test("ten outages in a row never make a text a suspect and never spend an attempt", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueue("doc", "one");
  for (let outage = 0; outage < 10; outage++) {
    const job = await rig.take("a");
    expect(job).toMatchObject({ kind: "embed", attempts: 0, deliveries: 1 });
    const returned = await rig.fail("a", job, { spendsAttempt: false });
    expect(returned).toEqual({ word: "parked", attempts: 0 });
  }
  expect(await scope.retries()).toEqual({});
});

test("a return does not forgive an earlier crash", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueue("doc", "one");
  await rig.abandon(await rig.take("a"));
  for (let outage = 0; outage < 3; outage++) {
    const job = await rig.take("b");
    expect(job).toMatchObject({ kind: "embed", deliveries: 2 });
    await rig.fail("b", job, { spendsAttempt: false });
  }
});

test("a failed attempt is no crash either", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueue("doc", "one");
  await rig.fail("a", await rig.take("a"));
  await rig.fail("a", await rig.take("a"));
  expect(await rig.take("a")).toMatchObject({ kind: "embed", attempts: 2, deliveries: 1 });
});

test("more outages than attempts, in a worker, cost no attempt", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const unavailable = throwing(new EmbedderError("unavailable", "down"));
  const embedder = new FakeEmbedder().next(
    unavailable,
    throwing(httpError(503)),
    unavailable,
    throwing(httpError(429)),
  );
  await using worker = await startWorker(scope, { embedder });
  await rig.enqueue("doc", "one");
  await rig.flush();
  const isOver = async () => (await rig.outstanding("doc")) === 0;
  await until(isOver, { what: "the end of the outage", timeoutMs: 3_000 });
  expect(await scope.dead()).toEqual([]);
  expect(await scope.vector("doc")).toEqual(numbersOf("one"));
  expect(embedder.calls).toHaveLength(5);
  expect(worker.heard("text:deferred")).toHaveLength(4);
  expect(worker.heard("text:retried")).toEqual([]);
});

test("a text in its backoff is due when the backoff ends and not before", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope, { leaseMs: 5_000 });
  await rig.enqueue("doc", "one");
  await rig.fail("a", await rig.take("a"), { backoffMs: 2_000 });
  const [parked] = await scope.group();
  expect(parked).toMatchObject({ consumer: "parked", deliveries: 0 });
  expect(parked?.idleMs).toBeGreaterThanOrEqual(3_000);
  expect(parked?.idleMs).toBeLessThan(4_500);
  expect((await rig.claim("b")).jobs).toEqual([]);
  await rig.age(parked?.id ?? "", "parked", 0);
  expect((await rig.claim("b")).jobs).toMatchObject([{ attempts: 1, deliveries: 1 }]);
});

test("work handed back at a stop is due at once", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const embedder = new FakeEmbedder();
  embedder.hold();
  await rig.enqueue("doc", "one");
  {
    await using _ = await startWorker(scope, {
      embedder: embedder.next(() => new Promise(() => {})),
    });
    await until(() => embedder.active === 1, { what: "the call" });
  }
  expect(await scope.group()).toMatchObject([{ consumer: "parked", deliveries: 0 }]);
  expect((await rig.claim("b")).jobs).toMatchObject([{ kind: "embed", deliveries: 1 }]);
});
