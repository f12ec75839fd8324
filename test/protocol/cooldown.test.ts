// The shared pause: nobody calls before its end, then one call tries and the others stay away.

import { expect, test } from "bun:test";
import { EmbedderError } from "../../src/model/errors.ts";
import {
  runEndCooldown,
  runReturnProbe,
  runStartCooldown,
} from "../../src/redis/scripts/cooldown.ts";
import { runPause, runSinceResume } from "../../src/redis/scripts/settings.ts";
import { FakeEmbedder, throwing } from "../helpers/embedder.ts";
import { items, type Scope, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";
import { after, intercept } from "./helpers/intercept.ts";
import { openRig, type Rig } from "./helpers/rig.ts";
import { startWorker } from "./helpers/worker.ts";

// The end of a pause is stored in whole milliseconds: what is left can seem one longer.
const LEASE_MS = 60_000;

interface Start {
  readonly askedMs?: number;
  readonly isProbe?: boolean;
}

function start(rig: Rig, { askedMs, isProbe = false }: Start = {}): Promise<number> {
  const bounds = { baseMs: 1_000, maxMs: 6_000 };
  return runStartCooldown(rig.link, { ...bounds, askedMs, isProbe, random: 0, reason: "away" });
}

/** Lets the pause be over, as time would. */
async function endPause(scope: Scope, rig: Rig): Promise<void> {
  const level = (await scope.client.get(scope.keys.cooldown))?.split(" ")[1] ?? "1";
  const nowMs = Math.floor((await rig.nowUs()) / 1000);
  await scope.client.set(scope.keys.cooldown, `${nowMs} ${level}`, { PX: 60_000 });
}

test("while the pause lasts no claim gives work, and it says how long", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueue("doc", "one");
  await rig.flush();
  expect(await start(rig, { askedMs: 5_000 })).toBe(5_000);
  const reply = await rig.claim("a");
  expect(reply).toMatchObject({ state: "sleep", jobs: [], isProbe: false });
  expect(reply.sleepMs).toBeGreaterThan(3_000);
  expect(reply.sleepMs).toBeLessThanOrEqual(5_001);
});

test("the first claim after the pause is the probe, and the others sleep", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueueMany(items(2));
  await rig.flush();
  await start(rig);
  await endPause(scope, rig);
  const probe = await rig.claim("a", { max: 1 });
  expect(probe).toMatchObject({ isProbe: true, jobs: [{ key: "doc:0" }] });
  const other = await rig.claim("b");
  expect(other).toMatchObject({ state: "sleep", jobs: [], isProbe: false });
  expect(other.sleepMs).toBeGreaterThan(LEASE_MS / 2);
  expect(other.sleepMs).toBeLessThanOrEqual(LEASE_MS + 1);
});

test("each failed probe doubles the pause up to its limit", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const pauses = [await start(rig)];
  for (let probe = 0; probe < 4; probe++) pauses.push(await start(rig, { isProbe: true }));
  expect(pauses).toEqual([1_000, 2_000, 4_000, 6_000, 6_000]);
});

test("a failed probe pauses from now on, not from the end of its own lease", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueue("doc", "one");
  await rig.flush();
  await start(rig);
  await endPause(scope, rig);
  await rig.claim("a");
  expect(await start(rig, { isProbe: true })).toBe(2_000);
});

test("calls that were under way when the pause began do not raise it", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await start(rig);
  await start(rig);
  expect(await start(rig)).toBeLessThanOrEqual(1_001);
  expect(await start(rig, { isProbe: true })).toBe(2_000);
});

test("a time that the provider names is kept, and a shorter one does not cut it", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  expect(await start(rig, { askedMs: 9_000 })).toBe(9_000);
  const left = await start(rig, { askedMs: 100 });
  expect(left).toBeGreaterThan(7_000);
  expect(left).toBeLessThanOrEqual(9_001);
});

test("a probe that was given back goes to the next claim", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueueMany(items(2));
  await rig.flush();
  await start(rig);
  await endPause(scope, rig);
  await rig.claim("a", { max: 1 });
  await runReturnProbe(rig.link);
  // Its end is rounded to a millisecond, which may lie just ahead.
  const claimProbe = async () => {
    const reply = await rig.claim("b");
    return reply.isProbe ? reply : undefined;
  };
  const again = await until(claimProbe, { what: "the next probe" });
  expect(again?.jobs).toMatchObject([{ key: "doc:1" }]);
  expect(await start(rig, { isProbe: true })).toBe(2_000);
});

test("a success ends the pause for all", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueueMany(items(2));
  await rig.flush();
  await start(rig);
  await endPause(scope, rig);
  await rig.claim("a", { max: 1 });
  expect(await runEndCooldown(rig.link)).toBe(true);
  expect(await rig.claim("b")).toMatchObject({ isProbe: false, jobs: [{ key: "doc:1" }] });
  expect(await runEndCooldown(rig.link)).toBe(false);
  await runReturnProbe(rig.link);
  expect(await scope.client.exists(scope.keys.cooldown)).toBe(0);
});

test("a resume ends a pause of an hour, and the next claim is the probe", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueueMany(items(2));
  await rig.flush();
  await start(rig, { askedMs: 3_600_000 });
  await runPause(rig.link, false);
  expect(await rig.claim("a", { max: 1 })).toMatchObject({ isProbe: true, jobs: [{}] });
  expect(await rig.claim("b")).toMatchObject({ state: "sleep", jobs: [] });
  // It counts as a probe like any other: who resumes in vain again and again does not call more often.
  expect(await start(rig, { isProbe: true })).toBe(2_000);
});

test("a resume begins no pause where there is none, and ends one that is damaged", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueue("doc", "one");
  await rig.flush();
  for (const damaged of [undefined, "soon"]) {
    if (damaged !== undefined) await scope.client.set(scope.keys.cooldown, damaged);
    await runPause(rig.link, false);
    expect(await scope.client.exists(scope.keys.cooldown)).toBe(0);
  }
  expect(await rig.claim("a")).toMatchObject({ isProbe: false, jobs: [{ key: "doc" }] });
});

test("out of memory a resume ends the pause all the same", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await start(rig, { askedMs: 3_600_000 });
  await runPause(rig.link, true);
  await scope.client.configSet("maxmemory", "1");
  await runPause(rig.link, false);
  await scope.client.configSet("maxmemory", "0");
  expect(await scope.client.exists(scope.keys.cooldown)).toBe(0);
  expect(await scope.client.hExists(scope.keys.settings, "paused")).toBe(false);
});

test("the last resume is known by its age", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await runPause(rig.link, true);
  expect(await runSinceResume(rig.link)).toBeUndefined();
  await runPause(rig.link, false);
  expect(await runSinceResume(rig.link)).toBeLessThan(2_000);
  const nowMs = Math.floor((await rig.nowUs()) / 1000);
  await scope.client.hSet(scope.keys.settings, "resumedAt", `${nowMs - 60_000}`);
  expect(await runSinceResume(rig.link)).toBeGreaterThanOrEqual(60_000);
  // A clock that stepped back, and a foreign hand.
  for (const value of [`${nowMs + 60_000}`, "yesterday"]) {
    await scope.client.hSet(scope.keys.settings, "resumedAt", value);
    expect(await runSinceResume(rig.link)).toBeUndefined();
  }
});

test("a pause that begins while a claim's reply is on its way holds for what that claim brought", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueue("doc", "one");
  const embedder = new FakeEmbedder();
  let claims = 0;
  const withJobs = after(async () => {
    if (++claims > 1) return;
    // The ring comes on the worker's other connection, before the reply.
    await start(rig, { askedMs: 300 });
    await scope.client.publish(scope.keys.doorbell, "gone marker");
    await until(() => marked, { what: "the doorbell to be heard" });
  });
  let marked = false;
  await using worker = await startWorker(scope, {
    embedder,
    wrap: (link) => intercept(link, "claim", withJobs),
    onRing: (word) => {
      marked ||= word === "gone";
    },
  });
  await until(() => worker.heard("text:deferred").length === 1, { what: "the text to go back" });
  expect(embedder.calls).toEqual([]);
  await scope.untilEmpty();
  expect(embedder.calls).toHaveLength(1);
});

test("a claim that finds nothing after the pause is no probe", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await start(rig);
  await endPause(scope, rig);
  expect(await rig.claim("a")).toMatchObject({ state: "sleep", isProbe: false });
  await rig.enqueue("doc", "one");
  await rig.flush();
  expect(await rig.claim("b")).toMatchObject({ isProbe: true });
});

test("a worker's outage pauses the queue, and its probe is a single call", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueueMany(items(8));
  const down = throwing(new EmbedderError("unavailable", "down"));
  const embedder = new FakeEmbedder({ limits: { maxItems: 2 } }).always(down);
  await using worker = await startWorker(scope, { embedder, concurrency: 4 });
  await until(() => embedder.calls.length >= 4, { what: "the first calls" });
  const before = embedder.calls.length;
  const started = () => worker.heard("cooldown:started").length;
  await until(() => started() > 4, { what: "a failed probe" });
  // Each probe is one call, though four could be made.
  expect(embedder.calls.length - before).toBeLessThanOrEqual(started() - 3);
  embedder.always();
  await scope.untilEmpty();
  expect(worker.heard("cooldown:ended")).toHaveLength(1);
  expect(await scope.dead()).toEqual([]);
  expect(await scope.client.exists(scope.keys.cooldown)).toBe(0);
});
