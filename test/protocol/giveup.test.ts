// Giving up: the destination's mark first, then letter and settle in one; a crash between the two
// is finished by the next claim.

import { expect, test } from "bun:test";
import { EmbedderError } from "../../src/model/errors.ts";
import { FakeEmbedder, throwing } from "../helpers/embedder.ts";
import { testScope } from "../helpers/scope.ts";
import { Gate, intercept, lostReply, once } from "./helpers/intercept.ts";
import { numbersOf, openRig, ZERO } from "./helpers/rig.ts";
import { startWorker } from "./helpers/worker.ts";

const REFUSED = throwing(new EmbedderError("rejected", "too rude"));

test("there is no letter before the destination is marked", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const gate = new Gate();
  await using _ = await startWorker(scope, {
    embedder: new FakeEmbedder().always(REFUSED),
    wrap: (link) => intercept(link, "write", gate.hook),
  });
  const { version } = await rig.enqueue("doc", "one");
  await rig.flush();
  await gate.reached;
  const whileHeld = { letters: await scope.dead(), outstanding: await rig.outstanding("doc") };
  gate.open();
  expect(whileHeld).toEqual({ letters: [], outstanding: version });
  await scope.untilEmpty();
  expect(await scope.vector("doc")).toEqual([...ZERO]);
  expect(await scope.dead()).toMatchObject([{ key: "doc", text: "one", reason: "too rude" }]);
});

test("a failure between mark and letter is finished by the next claim, with exactly one letter", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueue("doc", "one");
  await scope.client.hSet(scope.keys.retries, "doc", "2");
  const job = await rig.take("a");
  expect(await rig.fail("a", job)).toEqual({ word: "giveUp", attempts: 3 });
  expect(await rig.mark(job)).toBe("ok");
  await rig.abandon(job);

  const embedder = new FakeEmbedder();
  await using worker = await startWorker(scope, { embedder });
  await scope.untilEmpty();
  expect(embedder.calls).toEqual([]);
  expect(worker.heard("text:dead")).toMatchObject([{ key: "doc", attempts: 3 }]);
  expect(await scope.dead()).toMatchObject([
    { key: "doc", text: "one", version: String(job.version), attempts: "3" },
  ]);
  expect(await rig.giveUp(job)).toBe("gone");
  expect(await scope.dead()).toHaveLength(1);
});

test("a refused text whose worker died after the mark is tried again and gets its letter", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueue("doc", "one");
  const job = await rig.take("a");
  await rig.mark(job);
  await rig.abandon(job);
  const embedder = new FakeEmbedder().always(REFUSED);
  await using _ = await startWorker(scope, { embedder });
  await scope.untilEmpty();
  expect(embedder.calls).toEqual([["one"]]);
  expect(await scope.dead()).toMatchObject([{ key: "doc", reason: "too rude" }]);
});

test("a letter whose reply was lost is not written twice", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await using worker = await startWorker(scope, {
    embedder: new FakeEmbedder().always(REFUSED),
    wrap: (link) => intercept(link, "giveUp", once(lostReply)),
  });
  await rig.enqueue("doc", "one");
  await rig.flush();
  await scope.untilEmpty();
  const actions = worker.heard("worker:failed").map(({ action }) => action);
  expect(actions).toEqual(["write a dead letter"]);
  expect(await scope.dead()).toHaveLength(1);
});

test("attempts used up in an earlier run give a text up without a provider call", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueue("doc", "one");
  const job = await rig.take("a");
  await scope.client.hSet(scope.keys.retries, "doc", "3");
  await rig.abandon(job);
  const { jobs } = await rig.claim("b");
  expect(jobs).toMatchObject([{ kind: "giveUp", attempts: 3 }]);
  await rig.abandon(job);

  const embedder = new FakeEmbedder();
  await using _ = await startWorker(scope, { embedder });
  await scope.untilEmpty();
  expect(embedder.calls).toEqual([]);
  expect(await scope.dead()).toMatchObject([{ key: "doc", attempts: "3" }]);
});

test("the last failed attempt keeps the text held until it is marked and written down", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueue("doc", "one");
  for (const attempts of [1, 2]) {
    const job = await rig.take("a");
    expect(await rig.fail("a", job)).toEqual({ word: "parked", attempts });
  }
  const last = await rig.take("a");
  expect(await rig.fail("a", last)).toEqual({ word: "giveUp", attempts: 3 });
  expect(await scope.group()).toMatchObject([{ consumer: "a" }]);
  await rig.mark(last);
  expect(await rig.giveUp(last)).toBe("dead");
  await scope.expectEmpty();
});

test("a superseded text gets no letter, and its mark does not touch the newer vector", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueue("doc", "one");
  const older = await rig.take("a");
  await rig.enqueue("doc", "two");
  const newer = await rig.take("b");
  await rig.write(newer);
  expect(await rig.mark(older)).toBe("newer");
  expect(await rig.giveUp(older)).toBe("gone");
  expect(await scope.dead()).toEqual([]);
  expect(await rig.settle(newer)).toBe("done");
  expect(await scope.vector("doc")).toEqual(numbersOf("two"));
  await scope.expectEmpty();
});
