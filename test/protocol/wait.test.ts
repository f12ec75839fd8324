// Waiting: subscribe, then look; the queue's state first, the destination second.

import { expect, test } from "bun:test";
import { Waits } from "../../src/flow/wait.ts";
import { keyspaceChannel } from "../../src/redis/keys.ts";
import type { Link } from "../../src/redis/link.ts";
import { runCancel } from "../../src/redis/scripts/settle.ts";
import { testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";
import { after, intercept, once } from "./helpers/intercept.ts";
import { numbersOf, openRig, type Rig, SPACE } from "./helpers/rig.ts";

const CHANNEL = keyspaceChannel(0, "doc");

/** Waits whose hints come from the test alone; `isLive` says whether channels are heard at once. */
function openWaits(rig: Rig, { link = rig.link, isLive = true }: Partial<Opening> = {}) {
  const waits = new Waits({
    link,
    database: 0,
    dimensions: () => SPACE.dimensions,
    fields: () => rig.fields,
    want: () => isLive,
    release: () => {},
    onFailure: () => {},
  });
  return Object.assign(waits, {
    [Symbol.dispose]: () => waits.close(new Error("the test is over")),
  });
}
interface Opening {
  readonly link: Link;
  readonly isLive: boolean;
}

for (const read of ["status", "read"]) {
  test(`a text that is written and settled right after the ${read} of a waiter is not gone`, async () => {
    await using scope = await testScope();
    await using rig = await openRig(scope);
    const { version } = await rig.enqueue("doc", "one");
    const job = await rig.take("a");
    const finish = after(async () => {
      await rig.write(job);
      waits.onWritten(CHANNEL);
      await rig.settle(job);
    });
    using waits = openWaits(rig, { link: intercept(rig.link, read, once(finish)) });
    const outcome = await waits.wait("doc", version, { timeoutMs: 3_000 });
    expect(outcome).toMatchObject({ status: "embedded", version, superseded: false });
  });
}

test("what was written before the channel was heard is looked up once it is", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const { version } = await rig.enqueue("doc", "one");
  const job = await rig.take("a");
  using waits = openWaits(rig, { isLive: false });
  const waiting = waits.wait("doc", version, { timeoutMs: 3_000 });
  await rig.write(job);
  await rig.settle(job);
  waits.onLive([CHANNEL]);
  expect(await waiting).toMatchObject({ status: "embedded", version });
});

test("a destination's event alone never says gone; the word of a cancel does", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const { version } = await rig.enqueue("doc", "one");
  let reads = 0;
  const link = intercept(
    rig.link,
    "read",
    after(() => reads++),
  );
  using waits = openWaits(rig, { link, isLive: false });
  let isOver = false;
  const waiting = waits.wait("doc", version, { timeoutMs: 3_000 });
  const noting = waiting.then(() => {
    isOver = true;
  });
  await runCancel(rig.link, ["doc"]);
  waits.onWritten(CHANNEL);
  await until(() => reads === 1, { what: "the look at the destination" });
  expect(isOver).toBe(false);
  waits.onGone("doc");
  expect(await waiting).toEqual({ status: "gone", key: "doc" });
  await noting;
});

test("a newer result ends the wait for an older text as superseded", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const one = await rig.enqueue("doc", "one");
  const two = await rig.finish("doc", "two");
  using waits = openWaits(rig);
  const outcome = await waits.wait("doc", one.version, { timeoutMs: 3_000 });
  expect(outcome).toMatchObject({ status: "embedded", superseded: true, version: two.version });
  expect([...((outcome as { embedding?: Float32Array }).embedding ?? [])]).toEqual(
    numbersOf("two"),
  );
});

test("a dead text without a vector ends the wait as dead", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const { version } = await rig.enqueue("doc", "one");
  const job = await rig.take("a");
  await rig.mark(job, "unset");
  await rig.giveUp(job);
  using waits = openWaits(rig);
  const outcome = await waits.wait("doc", version, { timeoutMs: 3_000 });
  expect(outcome).toMatchObject({ status: "dead", embedding: undefined });
});

test("a destination that was deleted ends the wait as gone, unless its text is outstanding", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const { version } = await rig.finish("doc", "one");
  await scope.client.del("doc");
  using waits = openWaits(rig);
  expect(await waits.wait("doc", version, { timeoutMs: 3_000 })).toMatchObject({ status: "gone" });
  const again = await rig.enqueue("doc", "one");
  const job = await rig.take("a");
  const waiting = waits.wait("doc", again.version, { timeoutMs: 3_000 });
  await rig.write(job);
  waits.onWritten(CHANNEL);
  expect(await waiting).toMatchObject({ status: "embedded", version: again.version });
});
