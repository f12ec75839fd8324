// A text that was read from elsewhere counts as enqueued when its version was reserved, so that it
// never takes the place of what its owner enqueued after the reading.

import { expect, test } from "bun:test";
import { enqueueRead } from "../../src/flow/enqueue.ts";
import { runReserve } from "../../src/redis/scripts/reserve.ts";
import { failure, items, type Scope, testScope } from "../helpers/scope.ts";
import { intercept, lostReply, once } from "./helpers/intercept.ts";
import { numbersOf, openRig, type Rig, SPACE } from "./helpers/rig.ts";

const MINUTE_US = 60_000_000;
const DAY_US = 86_400_000_000;

function stage(rig: Rig, link: Rig["link"] = rig.link) {
  return {
    link,
    onMissing: "create" as const,
    skipsUnchanged: false,
    current: () => ({ space: SPACE, fields: rig.fields }),
    refresh: () => Promise.reject(new Error("the settings are another's by now")),
    announce: () => Promise.resolve(),
  };
}

async function reserve(rig: Rig): Promise<number> {
  return (await runReserve(rig.link)).version;
}

/** Everything outstanding is embedded; what the destination then holds. */
async function vectorAfterAll(scope: Scope, rig: Rig): Promise<number[] | undefined> {
  const job = await rig.take("a");
  await rig.write(job);
  await rig.settle(job);
  await scope.expectEmpty();
  return scope.vector("doc");
}

test("a reserved version is larger than every one before, and smaller than every one after", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  // The clock of the server steps back: only what is stored keeps versions apart.
  await scope.client.set(scope.keys.clock, String((await rig.nowUs()) + 10 * MINUTE_US));
  const before = await rig.enqueue("doc", "before");
  const first = await runReserve(rig.link);
  const second = await runReserve(rig.link);
  const after = await rig.enqueue("other", "after");
  expect(first.version).toBeGreaterThan(before.version);
  expect(second.version).toBeGreaterThan(first.version);
  expect(after.version).toBeGreaterThan(second.version);
  expect(first.outstanding).toBe(1);
});

test("a damaged clock is mended by a reservation as by an enqueue", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const now = await rig.nowUs();
  for (const damaged of [String(now + 2 * DAY_US), "soon"]) {
    await scope.client.set(scope.keys.clock, damaged);
    const version = await reserve(rig);
    expect(version).toBeGreaterThanOrEqual(now);
    expect(version).toBeLessThan(now + MINUTE_US);
  }
});

test("a text that was enqueued after the reservation and waits is not replaced", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const reserved = await reserve(rig);
  await rig.enqueue("doc", "newer");
  expect(await enqueueRead(stage(rig), [{ key: "doc", text: "read", reserved }])).toBe(0);
  expect(await vectorAfterAll(scope, rig)).toEqual(numbersOf("newer"));
});

test("a text that was enqueued after the reservation and is in flight is not replaced", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const reserved = await reserve(rig);
  await rig.enqueue("doc", "newer");
  const job = await rig.take("a");
  expect(await enqueueRead(stage(rig), [{ key: "doc", text: "read", reserved }])).toBe(0);
  await rig.write(job);
  await rig.settle(job);
  await scope.expectEmpty();
});

test("a text that was enqueued after the reservation and is stored by now is not replaced", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const reserved = await reserve(rig);
  await rig.finish("doc", "newer");
  expect(await enqueueRead(stage(rig), [{ key: "doc", text: "read", reserved }])).toBe(0);
  await scope.expectEmpty();
  expect(await scope.vector("doc")).toEqual(numbersOf("newer"));
});

test("a text that is stored between the look and the write is kept by the fence", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const reserved = await reserve(rig);
  expect(await enqueueRead(stage(rig), [{ key: "doc", text: "read", reserved }])).toBe(1);
  const job = await rig.take("a");
  expect(job.version).toBe(reserved);
  await rig.finish("doc", "newer");
  expect(await rig.write(job)).toBe("newer");
  expect(await rig.settle(job)).toBe("gone");
  expect(await scope.vector("doc")).toEqual(numbersOf("newer"));
  await scope.expectEmpty();
});

test("a text that was enqueued before the reservation gives way", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueue("doc", "older");
  const reserved = await reserve(rig);
  expect(await enqueueRead(stage(rig), [{ key: "doc", text: "read", reserved }])).toBe(1);
  expect(await vectorAfterAll(scope, rig)).toEqual(numbersOf("read"));
});

test("the same text outstanding is the same work", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const { version } = await rig.enqueue("doc", "text");
  const reserved = await reserve(rig);
  expect(await enqueueRead(stage(rig), [{ key: "doc", text: "text", reserved }])).toBe(0);
  expect(await rig.outstanding("doc")).toBe(version);
  expect(await vectorAfterAll(scope, rig)).toEqual(numbersOf("text"));
});

test("blank text is not written over a newer one", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const reserved = await reserve(rig);
  await rig.finish("doc", "newer");
  const read = [
    { key: "doc", text: " ", reserved },
    { key: "empty", text: " ", reserved },
  ];
  expect(await enqueueRead(stage(rig), read)).toBe(1);
  expect(await scope.vector("doc")).toEqual(numbersOf("newer"));
  expect(await scope.destination("empty")).toMatchObject({
    embedding_status: "blank",
    embedding_version: String(reserved),
  });
  await scope.expectEmpty();
});

test("a call whose reply is lost can be made again", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const reserved = await reserve(rig);
  const read = [{ key: "doc", text: "read", reserved }];
  const broken = intercept(rig.link, "enqueue", once(lostReply));
  await failure(enqueueRead(stage(rig, broken), read));
  expect(await enqueueRead(stage(rig), read)).toBe(0);
  expect(await rig.outstanding("doc")).toBe(reserved);
  expect(await scope.stream()).toHaveLength(1);
  expect(await vectorAfterAll(scope, rig)).toEqual(numbersOf("read"));
});

test("only full batches become due by it", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope, { maxBatchSize: 10 });
  const reserved = await reserve(rig);
  await enqueueRead(
    stage(rig),
    items(25).map((item) => ({ ...item, reserved })),
  );
  const sizes: number[] = [];
  for (;;) {
    const { jobs } = await rig.claim("a", { max: 10 });
    if (jobs.length === 0) break;
    sizes.push(jobs.length);
  }
  expect(sizes).toEqual([10, 10]);
});
