// Orderly returns: they take their delivery off the count, and an outage spends no attempt.

import { expect, test } from "bun:test";
import { Leases } from "../../src/flow/claim.ts";
import { EmbedderError } from "../../src/model/errors.ts";
import type { Job } from "../../src/model/job.ts";
import { FakeEmbedder, HARMLESS, httpError, throwing } from "../helpers/embedder.ts";
import { items, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";
import { after, intercept, once } from "./helpers/intercept.ts";
import { numbersOf, openRig, SPACE } from "./helpers/rig.ts";
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
  await until(isOver, { what: "the end of the outage" });
  expect(await scope.dead()).toEqual([]);
  expect(await scope.vector("doc")).toEqual(numbersOf("one"));
  // From the fourth try on, a harmless text finds out whether it is the text's own fault.
  expect(embedder.texts).toEqual(["one", "one", "one", HARMLESS, HARMLESS, "one"]);
  expect(worker.heard("text:deferred").length).toBeGreaterThanOrEqual(4);
  expect(worker.heard("text:retried")).toEqual([]);
});

test("a text in its backoff is due when the backoff ends and not before", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueue("doc", "one");
  await rig.fail("a", await rig.take("a"), { backoffMs: 20_000 });
  const [parked] = await scope.group();
  expect(parked).toMatchObject({ consumer: "parked", deliveries: 0 });
  expect(parked?.idleMs).toBeGreaterThanOrEqual(40_000);
  expect(parked?.idleMs).toBeLessThan(55_000);
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

test("a text that is handed out again before its return was answered is not forgotten", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const embedder = new FakeEmbedder().next(throwing(httpError(503)));
  const isHandedOutAgain = Promise.withResolvers<void>();
  let handOuts = 0;
  await using _ = await startWorker(scope, {
    embedder,
    wrap: (link) => {
      const watched = intercept(link, "claim", async (call) => {
        const reply = await call();
        const isWork = Array.isArray(reply) && reply[0] === "work";
        // Only after the worker has seen the reply.
        if (isWork && ++handOuts === 2) setImmediate(isHandedOutAgain.resolve);
        return reply;
      });
      return intercept(watched, "fail", once(after(() => isHandedOutAgain.promise)));
    },
  });
  await rig.enqueue("doc", "one");
  await rig.flush();
  const isOver = async () => (await rig.outstanding("doc")) === 0;
  await until(isOver, { what: "the second try" });
  expect(embedder.calls).toEqual([["one"], ["one"]]);
  await scope.expectEmpty();
});

test("a claim that ends does not let go of a text that came back and was claimed anew", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const leases = new Leases(rig.link, "a", 60_000, () => {});
  const order = { max: 50, isAlone: true, reclaims: true, space: SPACE };
  await rig.enqueueMany(items(2));
  await rig.flush();
  const first = (await leases.claim(order)).jobs;
  const [failed] = first as [Job, Job];
  await rig.fail("a", failed);
  leases.release([failed]);
  const again = (await leases.claim(order)).jobs;
  expect(again).toMatchObject([{ key: failed.key }]);

  leases.release(first);
  await rig.abandon(...again);
  await leases.renew();
  const entry = (await scope.group()).find(({ id }) => id === failed.entryId);
  expect(entry?.idleMs).toBeLessThan(30_000);
});
