// What is counted travels with the claims: nothing of it is lost, none of it stops the queue.

import { expect, test } from "bun:test";
import { Leases } from "../../src/flow/claim.ts";
import { leaveGroup, readStats, sweepConsumers } from "../../src/flow/tidy.ts";
import { type ClaimReason, Usage } from "../../src/model/usage.ts";
import { runStats, runSweep } from "../../src/redis/scripts/state.ts";
import { items, type Scope, testScope } from "../helpers/scope.ts";
import { intercept, lostReply, lostRequest, once } from "./helpers/intercept.ts";
import { openRig, type Rig, SPACE } from "./helpers/rig.ts";

const ORDER = { max: 50, isAlone: true, reclaims: true, space: SPACE };
const NO_CLAIMS = { size: 0, timer: 0, flush: 0, retry: 0 };

async function counters(scope: Scope): Promise<Record<string, string>> {
  return { ...(await scope.client.hGetAll(scope.keys.usage)) };
}

async function workerFields(scope: Scope): Promise<string[]> {
  const names = Object.keys(await counters(scope));
  return names.filter((name) => name.startsWith("worker:")).toSorted();
}

async function claims(rig: Rig): Promise<Record<ClaimReason, number>> {
  return { ...(await readStats(rig.link)).usage.claims };
}

test("a claim adds what its worker has counted, and the next one only what is new", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const [a, b] = [new Usage(), new Usage()];
  const leases = { a: leasesOf(rig, "a"), b: leasesOf(rig, "b") };
  a.add({ calls: 2, texts: 60, tokens: 900, tokensEstimated: 900, fillPermille: 1500 });
  b.add({ calls: 1, texts: 10, cacheHits: 5, deferrals: 3, failures: 2, dead: 1 });
  await leases.a.claim({ ...ORDER, usage: a });
  await leases.b.claim({ ...ORDER, usage: b });
  await leases.a.claim({ ...ORDER, usage: a });
  a.add({ calls: 1, texts: 1, fillPermille: 300 });
  await leases.a.claim({ ...ORDER, usage: a });
  const { usage, workers } = await readStats(rig.link);
  expect(usage).toEqual({
    calls: 4,
    texts: 71,
    tokens: 900,
    tokensEstimated: 900,
    batchFill: 0.45,
    cacheHits: 5,
    skipHits: 0,
    deferrals: 3,
    failures: 2,
    dead: 1,
    claims: NO_CLAIMS,
  });
  const own = new Map(workers.map((worker) => [worker.name, worker.usage]));
  expect(own.get("a")).toMatchObject({ calls: 3, texts: 61, batchFill: 0.6, dead: 0 });
  expect(own.get("b")).toMatchObject({ calls: 1, texts: 10, cacheHits: 5, dead: 1 });
});

test("a worker without news adds nothing to its claim", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.claim("a");
  await leasesOf(rig, "b").claim({ ...ORDER, usage: new Usage() });
  expect(await counters(scope)).toEqual({});
});

test("what a lost request carried is told again", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const usage = new Usage();
  const leases = leasesOf(rig, "a", intercept(rig.link, "claim", once(lostRequest)));
  usage.add({ texts: 7 });
  await expect(leases.claim({ ...ORDER, usage })).rejects.toThrow("the request was lost");
  await leases.claim({ ...ORDER, usage });
  expect(await counters(scope)).toMatchObject({ texts: "7" });
});

test("after a lost reply usage is counted twice and not lost; the worker's own figure is right", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const usage = new Usage();
  const leases = leasesOf(rig, "a", intercept(rig.link, "claim", once(lostReply)));
  usage.add({ texts: 7 });
  await expect(leases.claim({ ...ORDER, usage })).rejects.toThrow("the reply was lost");
  usage.add({ texts: 1 });
  await leases.claim({ ...ORDER, usage });
  const { usage: total, workers } = await readStats(rig.link);
  expect(total.texts).toBe(15);
  expect(workers).toMatchObject([{ usage: { texts: 8 } }]);
});

test("a claim says why its first text was due, and counts it", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope, { maxBatchSize: 10 });
  const reasons: string[] = [];
  const claim = async () => {
    const reply = await rig.claim("a", { max: 10 });
    reasons.push(reply.reason);
    return reply.jobs;
  };
  await claim();
  await rig.enqueueMany(items(10, "size"));
  const size = await claim();
  await rig.enqueueMany(items(3, "flush"));
  await claim();
  await rig.flush();
  await claim();
  await rig.fail("a", size[0] as (typeof size)[0]);
  await claim();
  expect(reasons).toEqual(["", "size", "", "flush", "retry"]);
  expect(await claims(rig)).toEqual({ size: 1, timer: 0, flush: 1, retry: 1 });
});

test("a full batch beyond the watermark is due by its size", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope, { maxBatchSize: 10 });
  for (const { key, text } of items(10)) await rig.enqueue(key, text);
  await scope.client.del(scope.keys.flush);
  await scope.client.hSet(scope.keys.usage, "cause", "flush");
  expect(await rig.claim("a", { max: 10 })).toMatchObject({ reason: "size" });
});

test("texts that the timer makes due are counted so, also those that are claimed later", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const nowUs = await rig.nowUs();
  const id = `${Math.floor(nowUs / 1000) - 3_600_000}-0`;
  await scope.client.xAdd(scope.keys.pending, id, { key: "oldest" });
  await scope.client.hSet(scope.keys.dedup, "oldest", `${nowUs} ${id}\noldest text`);
  await rig.enqueue("later", "text");
  expect(await rig.claim("a", { max: 1 })).toMatchObject({ reason: "timer" });
  expect(await rig.claim("a", { max: 1 })).toMatchObject({ reason: "timer" });
  expect(await claims(rig)).toEqual({ ...NO_CLAIMS, timer: 2 });
});

test("a batch that a retry begins is a retry, whatever fills it up", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope, { maxBatchSize: 4 });
  await rig.enqueue("first", "text");
  const job = await rig.take("a");
  await rig.fail("a", job);
  await rig.enqueueMany(items(3));
  const { jobs, reason } = await rig.claim("a", { max: 4 });
  expect(jobs).toHaveLength(4);
  expect(reason).toBe("retry");
  expect(await claims(rig)).toEqual({ ...NO_CLAIMS, flush: 1, retry: 1 });
});

test("a text that is skipped as unchanged is a hit", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.finish("doc:1", "one");
  await rig.finish("doc:2", "two");
  await rig.enqueueMany([
    { key: "doc:1", text: "one" },
    { key: "doc:2", text: "two" },
    { key: "doc:3", text: "one" },
  ]);
  expect((await readStats(rig.link)).usage.skipHits).toBe(2);
});

test("a worker that leaves tells the rest; its own figures go with it, the sums stay", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const usage = new Usage();
  const leases = leasesOf(rig, "a");
  await rig.claim("b", { usage: { added: '{"texts":1}', own: '{"texts":1}' } });
  usage.add({ texts: 5 });
  await leases.claim({ ...ORDER, usage });
  usage.add({ texts: 2, calls: 1 });
  expect(await workerFields(scope)).toEqual(["worker:a", "worker:b"]);
  expect(await leaveGroup(rig.link, "a", usage)).toBe(1);
  expect(await workerFields(scope)).toEqual(["worker:b"]);
  expect(await counters(scope)).toMatchObject({ texts: "8", calls: "1" });
});

test("a worker that leaves texts behind keeps its figures until they are taken over", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const usage = new Usage();
  await rig.enqueue("doc", "one");
  const job = await rig.take("a");
  usage.add({ calls: 1 });
  expect(await leaveGroup(rig.link, "a", usage)).toBe(0);
  expect(await workerFields(scope)).toEqual(["worker:a"]);
  await rig.abandon(job);
  expect((await rig.claim("b")).jobs).toHaveLength(1);
  await leaveGroup(rig.link, "a");
  expect(await workerFields(scope)).toEqual([]);
});

test("figures of dead workers, and of those that the group does not know, are swept away", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.claim("dead", { usage: { added: '{"calls":3}', own: '{"calls":3}' } });
  await scope.client.hSet(scope.keys.usage, "worker:unknown", "{}");
  await sweepConsumers(rig.link);
  expect(await workerFields(scope)).toEqual(["worker:dead"]);
  expect(await runSweep(rig.link, undefined, -1)).toBe(1);
  expect(await counters(scope)).toEqual({ calls: "3" });
});

test("a figure that is no number begins anew, and the claim says so", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  scope.damagesData();
  const { usage } = scope.keys;
  await scope.client.hSet(usage, { texts: "many", calls: "9223372036854775807", dead: "2" });
  const report = { added: '{"texts":4,"calls":2,"dead":1}', own: '{"texts":4}' };
  const reply = await rig.claim("a", { usage: report });
  expect(reply).toMatchObject({ state: "sleep", isCounted: true });
  expect(reply.repairs).toEqual(["usage that is no number counts from 0 again"]);
  expect(await counters(scope)).toMatchObject({ texts: "4", calls: "2", dead: "3" });
  expect((await rig.claim("a")).repairs).toEqual([]);
});

test.each([
  [
    "numbers that no counter can take",
    '{"texts":4,"tokens":1e19,"calls":null,"dead":1.5,"failures":-3}',
  ],
  ["numbers beyond all", '{"tokens":1e999,"texts":4}'],
  ["lists", '{"tokens":[1],"texts":4}'],
])("of %s in a report nothing is counted, and nothing is told again", async (_, added) => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const reply = await rig.claim("a", { usage: { added, own: "{}" } });
  expect(reply).toMatchObject({ state: "sleep", isCounted: true, repairs: [] });
  expect(await counters(scope)).toEqual({ texts: "4", "worker:a": "{}" });
});

test.each(["no JSON", "7", "null"])("a report that is %s fails no claim", async (added) => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueue("doc", "one");
  await rig.flush();
  const reply = await rig.claim("a", { usage: { added, own: "{}" } });
  expect(reply).toMatchObject({ state: "work", isCounted: true });
  expect(await runSweep(rig.link, "a", 60_000, { added, own: "{}" })).toBe(0);
});

test("a usage key of another type stops nothing and is replaced by the next claim that counts", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  scope.damagesData();
  await scope.client.set(scope.keys.usage, "much");
  expect((await runStats(rig.link)).usage.size).toBe(0);
  await rig.enqueueMany(items(120));
  await sweepConsumers(rig.link);
  await rig.flush();
  const { jobs, reason, repairs } = await rig.claim("a");
  expect(jobs).toHaveLength(50);
  // Why the watermark was raised could not be kept.
  expect(reason).toBe("flush");
  expect(repairs).toHaveLength(1);
  expect(await counters(scope)).toEqual({ flush: "1" });
});

test("out of memory a claim hands out what is due, and no count is lost", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const usage = new Usage();
  const leases = leasesOf(rig, "a");
  await rig.enqueueMany(items(3));
  await rig.flush();
  await rig.claim("b", { max: 1 });
  usage.add({ texts: 5 });
  await scope.client.configSet("maxmemory", "1");
  expect((await leases.claim({ ...ORDER, usage })).jobs).toHaveLength(2);
  await scope.client.configSet("maxmemory", "0");
  await leases.claim({ ...ORDER, usage });
  expect(await counters(scope)).toMatchObject({ texts: "5" });
});

function leasesOf(rig: Rig, worker: string, link = rig.link): Leases {
  return new Leases(link, worker, 60_000, () => {});
}
