// Crashes: a delivery that never came back is counted apart from attempts. From two on a text goes
// alone, at four it is given up.

import { expect, test } from "bun:test";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { items, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";
import { openRig } from "./helpers/rig.ts";
import { startWorker } from "./helpers/worker.ts";

test("a text is given up after four lost deliveries, alone both last times", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueue("doc", "one");
  for (const kind of ["embed", "embed", "solo", "solo"] as const) {
    const job = await rig.take("a");
    expect(job).toMatchObject({ kind, attempts: 0 });
    await rig.abandon(job);
  }
  expect(await rig.take("a")).toMatchObject({ kind: "giveUp", attempts: 0, deliveries: 4 });
});

test("after two lost deliveries a text goes only to a worker with nothing in flight, and alone", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueueMany(items(3));
  await rig.flush();
  for (const worker of ["a", "b"]) {
    const { jobs } = await rig.claim(worker);
    expect(jobs).toHaveLength(3);
    await rig.abandon(...jobs);
  }
  await rig.enqueue("fresh", "text");
  await rig.flush();

  const busy = await rig.claim("c", { isAlone: false });
  expect(busy).toMatchObject({ suspects: 3, jobs: [{ key: "fresh" }] });
  const idle = await rig.claim("d", { isAlone: true });
  expect(idle.jobs).toMatchObject([{ kind: "solo", deliveries: 3 }]);
  const next = await rig.claim("e", { isAlone: true });
  expect(next.jobs).toMatchObject([{ kind: "solo", deliveries: 3 }]);
  expect(next.jobs[0]?.key).not.toBe(idle.jobs[0]?.key);
});

test("a neighbour that comes back from its turn alone is done like any other", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueueMany(items(3));
  await rig.flush();
  for (const worker of ["a", "b"]) await rig.abandon(...(await rig.claim(worker)).jobs);
  const embedder = new FakeEmbedder();
  await using _ = await startWorker(scope, { embedder });
  await scope.untilEmpty();
  expect(embedder.batchSizes).toEqual([1, 1, 1]);
  expect(embedder.peak).toBe(1);
  expect(await scope.dead()).toEqual([]);
});

test("a worker with a call in flight finishes it before it takes a suspect", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueue("suspect", "one");
  const embedder = new FakeEmbedder();
  embedder.hold();
  const first = await rig.take("a");
  await using _ = await startWorker(scope, { embedder });
  await rig.enqueue("fresh", "two");
  await rig.flush();
  await until(() => embedder.active === 1, { what: "the call" });
  await rig.age(first.entryId, "a", 2);
  await rig.flush();
  // The claim that sees the suspect has put it back: its idle time says so.
  const isSeen = async () => (await scope.group()).some(({ consumer }) => consumer === "parked");
  await until(isSeen, { what: "the suspect to be seen" });
  expect(embedder.calls).toEqual([["two"]]);
  embedder.release();
  await scope.untilEmpty();
  expect(embedder.calls).toEqual([["two"], ["one"]]);
  expect(embedder.peak).toBe(1);
});

test("a text given up for its crashes gets a letter that says so, without a provider call", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueue("doc", "one");
  const job = await rig.take("a");
  await rig.age(job.entryId, "a", 4);
  const embedder = new FakeEmbedder();
  await using _ = await startWorker(scope, { embedder });
  await scope.untilEmpty();
  expect(embedder.calls).toEqual([]);
  const [letter] = await scope.dead();
  expect(letter).toMatchObject({ key: "doc", attempts: "0" });
  expect(letter?.["reason"]).toContain("4 deliveries never came back");
});
