// Settings that change while the queue works.

import { expect, test } from "bun:test";
import { configureQueue, joinQueue } from "../../src/flow/settings.ts";
import { testScope } from "../helpers/scope.ts";
import { openRig, SPACE } from "./helpers/rig.ts";

for (const leaseMs of [600_000, 30_000]) {
  test(`a lease changed to ${leaseMs} ms keeps the backoff of parked entries`, async () => {
    await using scope = await testScope();
    await using rig = await openRig(scope);
    await rig.enqueue("doc", "one");
    await rig.fail("a", await rig.take("a"), { backoffMs: 20_000 });
    await configureQueue(rig.link, { leaseMs });
    const [parked] = await scope.group();
    const left = leaseMs - (parked?.idleMs ?? 0);
    expect(left).toBeLessThanOrEqual(20_000);
    expect(left).toBeGreaterThan(10_000);
    expect(parked).toMatchObject({ consumer: "parked", deliveries: 0 });
    expect((await rig.claim("b")).jobs).toEqual([]);
  });
}

test("what is due stays due when the lease grows", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueue("doc", "one");
  await rig.fail("a", await rig.take("a"), { spendsAttempt: false });
  await configureQueue(rig.link, { leaseMs: 600_000 });
  expect((await rig.claim("b")).jobs).toMatchObject([{ key: "doc" }]);
});

test("another model is refused while a text is in flight, and taken once it is parked", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueue("doc", "one");
  const job = await rig.take("a");
  const change = () => configureQueue(rig.link, { ...SPACE, model: "another-1" });
  await expect(change()).rejects.toThrow("1 are");
  await rig.fail("a", job, { spendsAttempt: false });
  expect((await change()).space).toEqual({ ...SPACE, model: "another-1" });
  expect((await rig.claim("b")).state).toBe("settings");
});

test("a process that asks for other values is refused and changes nothing", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const before = await scope.client.hGetAll(scope.keys.settings);
  const other = { ...SPACE, dimensions: 8, leaseMs: 1_000 };
  await expect(joinQueue(rig.link, other, {})).rejects.toThrow("`dimensions` is 4, asked for 8");
  expect(await scope.client.hGetAll(scope.keys.settings)).toEqual(before);
});

test("a queue of a newer protocol is left alone", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await scope.client.hSet(scope.keys.settings, "protocol", "2");
  const before = await scope.client.hGetAll(scope.keys.settings);
  for (const step of [joinQueue(rig.link, {}, { maxAttempts: 9 }), configureQueue(rig.link, {})]) {
    await expect(step).rejects.toThrow("it is 2");
  }
  await expect(rig.enqueue("doc", "one")).rejects.toThrow("another's by now");
  expect((await rig.claim("a")).state).toBe("settings");
  expect(await scope.client.hGetAll(scope.keys.settings)).toEqual(before);
});
