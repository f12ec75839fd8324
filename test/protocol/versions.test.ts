// Versions grow strictly for a key, whatever the clock does and whatever is lost.

import { expect, test } from "bun:test";
import { cancelWork } from "../../src/flow/tidy.ts";
import { spaceTag } from "../../src/model/settings.ts";
import { runEnqueue } from "../../src/redis/scripts/enqueue.ts";
import { items, testScope } from "../helpers/scope.ts";
import { numbersOf, openRig, SPACE } from "./helpers/rig.ts";

const MINUTE_US = 60_000_000;
const DAY_US = 86_400_000_000;

test("versions grow strictly within one call and from call to call", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const accepted = [
    ...(await rig.enqueueMany(items(200))),
    await rig.enqueue("doc:0", "newer"),
    await rig.enqueue("doc:0", "newest"),
  ];
  const versions = accepted.map(({ version }) => version);
  expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
  expect(versions.every(Number.isSafeInteger)).toBe(true);
});

test("versions go on from the last one given when the server's clock steps back", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const last = (await rig.nowUs()) + 10 * MINUTE_US;
  await scope.client.set(scope.keys.clock, String(last));
  const { version } = await rig.enqueue("doc", "one");
  expect(version).toBe(last + 1);
  expect((await rig.enqueue("other", "two")).version).toBe(last + 2);
});

test("a last version of two days ahead, or one that is no number, is damage and counts as none", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const now = await rig.nowUs();
  for (const damaged of [String(now + 2 * DAY_US), "1e300", "soon", ""]) {
    await scope.client.set(scope.keys.clock, damaged);
    const { version } = await rig.enqueue("doc", `after ${damaged}`);
    expect(version).toBeGreaterThanOrEqual(now);
    expect(version).toBeLessThan(now + MINUTE_US);
  }
});

test("a text is newer than what its destination holds when the queue's keys were lost and the clock stepped back", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const stored = (await rig.nowUs()) + 10 * MINUTE_US;
  await rig.put("doc", stored, { text: "old" });
  await scope.client.del([scope.keys.pending, scope.keys.dedup, scope.keys.clock]);
  const { version } = await rig.finish("doc", "new");
  expect(version).toBe(stored + 1);
  expect(await scope.vector("doc")).toEqual(numbersOf("new"));
});

test("what one destination holds lifts the version of its own key only", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const now = await rig.nowUs();
  await rig.put("doc", now + 10 * MINUTE_US);
  await rig.enqueueMany([
    { key: "doc", text: "one" },
    { key: "other", text: "two" },
  ]);
  expect(await rig.outstanding("doc")).toBe(now + 10 * MINUTE_US + 1);
  expect(await rig.outstanding("other")).toBeLessThan(now + MINUTE_US);
  expect(Number(await scope.client.get(scope.keys.clock))).toBeLessThan(now + MINUTE_US);
});

test("two calls that read the same version ahead of the clock give two versions, also after a settle between", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const ahead = (await rig.nowUs()) + 10 * MINUTE_US;
  await rig.put("doc", ahead);
  const enqueueAbove = async (text: string) => {
    const item = { key: "doc", text, floor: ahead, unchanged: false, reserved: undefined };
    const order = { earlierEntries: 0, isLastChunk: false, queueBlanks: false };
    const space = spaceTag(SPACE);
    const reply = await runEnqueue(rig.link, { space, ...order, items: [item] });
    return reply?.accepted[0]?.version;
  };
  expect(await enqueueAbove("older")).toBe(ahead + 1);
  await cancelWork(rig.link, ["doc"]);
  expect(await enqueueAbove("newer")).toBe(ahead + 2);
  // What is not ahead stays where the clock is.
  expect((await rig.enqueue("other", "two")).version).toBeLessThan(ahead);
});

test("a damaged stored version lifts nothing and is overwritten", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const now = await rig.nowUs();
  for (const damaged of [String(now + 2 * DAY_US), "1e300"]) {
    await scope.client.hSet("doc", "embedding_version", damaged);
    const { version } = await rig.finish("doc", `after ${damaged}`);
    expect(version).toBeLessThan(now + MINUTE_US);
    expect((await scope.destination("doc"))["embedding_version"]).toBe(String(version));
  }
});

test("the same text is not taken for outstanding where its destination is ahead of it", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const { version } = await rig.enqueue("doc", "one");
  await rig.put("doc", version + 1, { text: "foreign" });
  const again = await rig.enqueue("doc", "one");
  expect(again.version).toBeGreaterThan(version + 1);
  const job = await rig.take("a");
  expect(await rig.write(job)).toBe("ok");
  await rig.settle(job);
  expect(await scope.vector("doc")).toEqual(numbersOf("one"));
});
