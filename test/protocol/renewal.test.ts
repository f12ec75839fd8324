// Leases: only the owner renews, and only the owner gives back.

import { expect, test } from "bun:test";
import { Leases } from "../../src/flow/claim.ts";
import type { Job } from "../../src/model/job.ts";
import { runRenew } from "../../src/redis/scripts/lease.ts";
import { testScope } from "../helpers/scope.ts";
import { openRig, SPACE } from "./helpers/rig.ts";

const LEASE_MS = 60_000;

test("a former owner's renewal does not steal the entry back", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueue("doc", "one");
  const job = await rig.take("a");
  await rig.abandon(job);
  await rig.take("b");
  await rig.age(job.entryId, "b", 2);
  expect(await runRenew(rig.link, "a", [job.entryId])).toEqual([job.entryId]);
  const [entry] = await scope.group();
  expect(entry).toMatchObject({ consumer: "b", deliveries: 2 });
  expect(entry?.idleMs).toBeGreaterThanOrEqual(LEASE_MS);
});

test("the owner's renewal makes the lease whole again and counts no delivery", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueue("doc", "one");
  const job = await rig.take("a");
  await rig.abandon(job);
  expect(await runRenew(rig.link, "a", [job.entryId])).toEqual([]);
  const [entry] = await scope.group();
  expect(entry).toMatchObject({ consumer: "a", deliveries: 1 });
  expect(entry?.idleMs).toBeLessThan(LEASE_MS / 2);
  expect((await rig.claim("b")).jobs).toEqual([]);
});

test("a renewal of what was settled or parked brings nothing back", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueueMany([
    { key: "done", text: "one" },
    { key: "parked", text: "two" },
  ]);
  await rig.flush();
  const [done, parked] = (await rig.claim("a")).jobs as [Job, Job];
  await rig.settle(done);
  await rig.fail("a", parked);
  const ids = [done.entryId, parked.entryId];
  expect(await runRenew(rig.link, "a", ids)).toEqual(ids);
  expect(await scope.group()).toMatchObject([{ id: parked.entryId, consumer: "parked" }]);
});

test("a former owner's failure neither parks the entry nor spends an attempt", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueue("doc", "one");
  const job = await rig.take("a");
  await rig.abandon(job);
  await rig.take("b");
  expect(await rig.fail("a", job)).toEqual({ word: "lost", attempts: 0 });
  expect(await scope.group()).toMatchObject([{ consumer: "b", deliveries: 2 }]);
  expect(await scope.retries()).toEqual({});
});

test("a failure that is told twice counts once", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueue("doc", "one");
  const job = await rig.take("a");
  expect(await rig.fail("a", job)).toEqual({ word: "parked", attempts: 1 });
  expect(await rig.fail("a", job)).toEqual({ word: "lost", attempts: 0 });
  expect(await scope.retries()).toEqual({ doc: "1" });
});

test("a worker that lost its lease writes only what the queue still wants", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const lost: string[] = [];
  const leases = new Leases(rig.link, "a", LEASE_MS, (jobs) => {
    lost.push(...jobs.map(({ key }) => key));
  });
  await rig.enqueueMany([
    { key: "settled", text: "one" },
    { key: "held by b", text: "two" },
  ]);
  await rig.flush();
  const { jobs } = await leases.claim({ max: 50, isAlone: true, reclaims: true, space: SPACE });
  expect(await leases.stillWanted(jobs)).toEqual(jobs);

  await rig.abandon(...jobs);
  const [settled] = (await rig.claim("b")).jobs;
  await rig.settle(settled as Job);
  await leases.renew();
  await leases.renew();
  expect(lost).toEqual(["settled", "held by b"]);
  expect((await leases.stillWanted(jobs)).map(({ key }) => key)).toEqual(["held by b"]);
});
