// One live entry for a key: the one that dedup names. Whoever meets another removes it.

import { expect, test } from "bun:test";
import { items, type Scope, testScope } from "../helpers/scope.ts";
import { openRig } from "./helpers/rig.ts";

async function entryIds(scope: Scope): Promise<string[]> {
  return (await scope.stream()).map(({ id }) => id);
}

test("a newer text of a waiting key takes the place of the older one", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const one = await rig.enqueue("doc", "one");
  await rig.enqueue("other", "text");
  const ids = await entryIds(scope);
  const two = await rig.enqueue("doc", "two");
  expect(two.version).toBeGreaterThan(one.version);
  expect(await entryIds(scope)).toEqual(ids);
  await rig.flush();
  const { jobs } = await rig.claim("a");
  expect(jobs).toMatchObject([{ key: "doc", text: "two", version: two.version }, { key: "other" }]);
});

test("the same text again is the same ticket, waiting, in flight and parked", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const first = await rig.enqueue("doc", "one");
  expect(await rig.enqueue("doc", "one")).toEqual(first);
  const job = await rig.take("a");
  expect(await rig.enqueue("doc", "one")).toEqual(first);
  await rig.fail("a", job);
  expect(await rig.enqueue("doc", "one")).toEqual(first);
  expect(await scope.stream()).toHaveLength(1);
});

test("of two texts for one key in one call the last wins", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const [one, two] = await rig.enqueueMany([
    { key: "doc", text: "one" },
    { key: "doc", text: "two" },
  ]);
  expect(two?.version).toBeGreaterThan(one?.version ?? 0);
  expect(await scope.stream()).toHaveLength(1);
  expect(await rig.take("a")).toMatchObject({ text: "two", version: two?.version as number });
});

test("an entry that was superseded in flight is never handed out again", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueue("doc", "one");
  const older = await rig.take("a");
  await rig.enqueue("doc", "two");
  await rig.abandon(older);
  await rig.flush();
  const { jobs } = await rig.claim("b");
  expect(jobs).toMatchObject([{ key: "doc", text: "two" }]);
  expect(await entryIds(scope)).toEqual([jobs[0]?.entryId ?? ""]);
  expect(await scope.group()).toHaveLength(1);
});

test("a newer text of a parked key removes the parked entry", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueue("doc", "one");
  const job = await rig.take("a");
  await rig.fail("a", job, { backoffMs: 30_000 });
  await rig.enqueue("doc", "two");
  expect(await scope.group()).toEqual([]);
  expect(await entryIds(scope)).toHaveLength(1);
  expect(await rig.take("a")).toMatchObject({ text: "two" });
});

test("attempts belong to the text: a newer one begins with none", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueue("doc", "one");
  for (const attempts of [1, 2]) {
    expect(await rig.fail("a", await rig.take("a"))).toMatchObject({ attempts });
  }
  await rig.enqueue("doc", "two");
  expect(await scope.retries()).toEqual({});
  expect(await rig.take("a")).toMatchObject({ text: "two", attempts: 0 });
});

test("a text that lost its entry gets a new one from the next enqueue", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  scope.damagesData();
  await rig.enqueue("doc", "one");
  await scope.client.del(scope.keys.pending);
  const again = await rig.enqueue("doc", "one");
  expect(await rig.take("a")).toMatchObject({ text: "one", version: again.version });
});

test("after any enqueues and claims each outstanding key has one entry that dedup names", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  for (let round = 0; round < 4; round++) {
    await rig.enqueueMany(items(6).map(({ key }) => ({ key, text: `${key} round ${round}` })));
    await rig.flush();
    const { jobs } = await rig.claim("a", { max: 3 });
    const [settled, failed] = jobs;
    if (settled !== undefined) await rig.settle(settled);
    if (failed !== undefined) await rig.fail("a", failed);
  }
  const held = new Set((await scope.group()).map(({ id }) => id));
  const live = Object.values(await scope.dedup()).map((value) => value.split(/[ \n]/)[1] ?? "");
  const waiting = (await entryIds(scope)).filter((id) => !held.has(id));
  expect(new Set(live).size).toBe(live.length);
  for (const id of waiting) expect(live).toContain(id);
  for (const id of live) expect(await entryIds(scope)).toContain(id);
});
