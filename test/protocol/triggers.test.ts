// When work is due: size, timer and flush, each by entry ID and the server's clock.

import { expect, test } from "bun:test";
import { items, type Scope, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";
import { openRig, type Rig } from "./helpers/rig.ts";

const INTERVAL_MS = 3_600_000;

async function enqueueSingly(rig: Rig, count: number, prefix?: string): Promise<void> {
  for (const { key, text } of items(count, prefix)) await rig.enqueue(key, text);
}

async function claimSize(rig: Rig, worker: string, max?: number): Promise<number> {
  const { jobs } = await rig.claim(worker, max === undefined ? {} : { max });
  return jobs.length;
}

/** Puts a text on the stream as if it had been enqueued so long ago. Only where nothing is there yet. */
async function enqueueEarlier(scope: Scope, rig: Rig, agoMs: number): Promise<void> {
  const nowUs = await rig.nowUs();
  const id = `${Math.floor(nowUs / 1000) - agoMs}-0`;
  await scope.client.xAdd(scope.keys.pending, id, { key: "oldest" });
  await scope.client.hSet(scope.keys.dedup, "oldest", `${nowUs} ${id}\noldest text`);
}

test("57 single texts are a batch of 50, and seven that wait for their own trigger", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await enqueueSingly(rig, 57);
  expect(await claimSize(rig, "a")).toBe(50);
  const reply = await rig.claim("b");
  expect(reply).toMatchObject({ state: "sleep", jobs: [] });
  expect(reply.sleepMs).toBeGreaterThan(INTERVAL_MS - 60_000);
  expect(reply.sleepMs).toBeLessThanOrEqual(INTERVAL_MS);
  await rig.flush();
  expect(await claimSize(rig, "b")).toBe(7);
});

test("49 texts are not due, the fiftieth makes them", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueueMany(items(49));
  expect(await claimSize(rig, "a")).toBe(0);
  await rig.enqueue("fiftieth", "text");
  expect(await claimSize(rig, "a")).toBe(50);
});

test("a batch that was due stays due while it is taken in parts", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await enqueueSingly(rig, 50);
  const sizes: number[] = [];
  for (const worker of ["a", "b", "c", "d"]) sizes.push(await claimSize(rig, worker, 20));
  expect(sizes).toEqual([20, 20, 10, 0]);
});

test("one call of 120 texts is due as a whole: 50, 50, 20", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueueMany(items(120));
  const sizes: number[] = [];
  for (const worker of ["a", "b", "c", "d"]) sizes.push(await claimSize(rig, worker));
  expect(sizes).toEqual([50, 50, 20, 0]);
});

test("one call of several script calls is due as a whole", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueueMany(items(270));
  const sizes: number[] = [];
  for (let n = 0; n < 7; n++) sizes.push(await claimSize(rig, "a"));
  expect(sizes).toEqual([50, 50, 50, 50, 50, 20, 0]);
});

test("workers that claim at the same time share what is due and take nothing else", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await enqueueSingly(rig, 57);
  const sizes = await Promise.all([..."abcde"].map((worker) => claimSize(rig, worker, 25)));
  expect(sizes.sort((a, b) => b - a)).toEqual([25, 25, 0, 0, 0]);
});

test("the timer goes by the oldest waiting text, and then all that waits is due", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await enqueueEarlier(scope, rig, INTERVAL_MS);
  await rig.enqueueMany(items(3));
  expect(await claimSize(rig, "a")).toBe(4);
  await rig.enqueue("later", "text");
  expect(await claimSize(rig, "a")).toBe(0);
});

test("before the oldest waiting text has waited long enough, the claim says how long to sleep", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await enqueueEarlier(scope, rig, INTERVAL_MS - 20_000);
  await rig.enqueue("doc", "one");
  const reply = await rig.claim("a");
  expect(reply).toMatchObject({ state: "sleep", jobs: [] });
  expect(reply.sleepMs).toBeGreaterThan(10_000);
  expect(reply.sleepMs).toBeLessThanOrEqual(20_000);
});

test("a text from the future is due at once: the clock has stepped back", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await enqueueEarlier(scope, rig, -120_000);
  expect(await claimSize(rig, "a")).toBe(1);
});

test("a flush covers what was there and nothing later", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueueMany(items(3));
  await rig.flush();
  await rig.enqueueMany(items(2, "later"));
  const { jobs } = await rig.claim("a", { max: 3 });
  expect(jobs.map(({ key }) => key)).toEqual(items(3).map(({ key }) => key));
  expect(await claimSize(rig, "b")).toBe(0);
  await rig.flush();
  expect(await claimSize(rig, "b")).toBe(2);
});

test("a call that is made anyway is filled up with what waits", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueue("retry", "text");
  await rig.fail("a", await rig.take("a"));
  await rig.enqueueMany(items(4));
  expect(await claimSize(rig, "a")).toBe(5);
});

test("the doorbell rings for the first text and for a full batch, not for each", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const subscriber = scope.client.duplicate();
  await subscriber.connect();
  const rings: string[] = [];
  await subscriber.subscribe(scope.keys.doorbell, (ring) => rings.push(ring));
  await enqueueSingly(rig, 57);
  await scope.client.publish(scope.keys.doorbell, "end");
  await until(() => rings.at(-1) === "end", { what: "the last ring" });
  await subscriber.disconnect();
  expect(rings).toEqual(["timer", "due", "end"]);
});
