// A take-over that dies between any two steps: whoever comes next finds every text, once.

import { describe, expect, test } from "bun:test";
import { enqueueRead } from "../../src/flow/enqueue.ts";
import { TakeOver } from "../../src/flow/takeover.ts";
import { checkTakeOver, type TakeOverOptions } from "../../src/model/takeover.ts";
import type { Link } from "../../src/redis/link.ts";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { failure, type Scope, testScope } from "../helpers/scope.ts";
import {
  after,
  type Hook,
  intercept,
  lostReply,
  lostRequest,
  once,
} from "../protocol/helpers/intercept.ts";
import { openRig, type Rig, SPACE } from "../protocol/helpers/rig.ts";
import { EMPTY, memberOf, PythonModule } from "./module.ts";

const TEXTS = ["a", "b", "c", "d", "e"];

/** A take-over by the steps themselves, so that one of them can fail. */
function takeOver(rig: Rig, link: Link, options: TakeOverOptions = {}) {
  const stage = {
    link,
    onMissing: "create" as const,
    skipsUnchanged: false,
    current: () => ({ space: SPACE, fields: rig.fields }),
    refresh: () => Promise.reject(new Error("the settings are another's by now")),
    announce: () => Promise.resolve(),
  };
  const running = {
    link,
    maxBatchSize: () => 50,
    enqueue: (texts: Parameters<typeof enqueueRead>[1]) => enqueueRead(stage, texts),
    stopSignal: new AbortController().signal,
  };
  return new TakeOver(running, checkTakeOver({ chunkSize: 2, ...options })).run();
}

/** Two orphans and three that wait. */
async function fill(scope: Scope): Promise<PythonModule> {
  const longAgo = new PythonModule(scope.client, -1000);
  const module = new PythonModule(scope.client);
  for (const text of TEXTS.slice(0, 2)) await longAgo.enqueue(`msg:${text}`, text);
  await longAgo.claim(2);
  for (const text of TEXTS.slice(2)) await module.enqueue(`msg:${text}`, text);
  return module;
}

/** Only the call with this number goes through the hook. The first works on orphans, the second on what waits. */
function nth(number: number, hook: Hook): Hook {
  let count = 0;
  return (call) => (++count === number ? hook(call) : call());
}

async function expectAllOnce(scope: Scope, module: PythonModule): Promise<void> {
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  await queue.flushAndWait();
  expect(embedder.texts.toSorted()).toEqual(TEXTS);
  for (const text of TEXTS) {
    expect(await scope.vector(`msg:${text}`)).toEqual([...embedder.vectorOf(text)]);
  }
  expect(await module.state()).toEqual(EMPTY);
}

const SCRIPTS = [
  "lookAtModule",
  "reserve",
  "claimFromModule",
  "look",
  "enqueue",
  "releaseFromModule",
  "sweepTaken",
];
const FAULTS: readonly (readonly [string, Hook])[] = [
  ["before Redis hears of it", lostRequest],
  ["after Redis has done it", lostReply],
];

describe.each(SCRIPTS)("it dies at %s", (script) => {
  const times = script === "sweepTaken" ? [1] : [1, 2];
  const cases = FAULTS.flatMap(([when, hook]) => times.map((n) => [when, n, hook] as const));
  test.each(cases)("%s, call %i", async (_, n, hook) => {
    await using scope = await testScope();
    await using rig = await openRig(scope);
    const module = await fill(scope);
    const error = await failure(takeOver(rig, intercept(rig.link, script, nth(n, hook))));
    expect(String(error)).toMatch(/was lost/);
    // The next one does not wait until the texts are orphans.
    const rest = await takeOver(rig, rig.link, { inFlightAfterMs: 0 });
    expect(rest).toMatchObject({ left: 0, done: true, superseded: 0 });
    await expectAllOnce(scope, module);
  });

  test("and the module comes back first", async () => {
    await using scope = await testScope();
    await using rig = await openRig(scope);
    await fill(scope);
    await failure(takeOver(rig, intercept(rig.link, script, once(lostReply))));
    const later = new PythonModule(scope.client, 1000);
    await later.reclaim();
    const embedder = new FakeEmbedder();
    await later.finish(await later.claim(2), (text) => embedder.vectorOf(text));
    await takeOver(rig, rig.link, { inFlightAfterMs: 0 });
    const queue = await scope.queue({ embedder });
    await queue.flushAndWait();
    for (const text of TEXTS) {
      expect(await scope.vector(`msg:${text}`)).toEqual([...embedder.vectorOf(text)]);
    }
    expect(await later.state()).toEqual(EMPTY);
  });
});

test("a text that a crash left claimed twice still gives way to what embedq was given in between", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const module = new PythonModule(scope.client);
  await module.enqueue("msg:a", "older");
  await failure(takeOver(rig, intercept(rig.link, "enqueue", lostRequest)));
  await rig.enqueue("msg:a", "newer");
  for (let crash = 0; crash < 2; crash++) {
    const dying = intercept(rig.link, "enqueue", lostRequest);
    await failure(takeOver(rig, dying, { inFlightAfterMs: 0 }));
  }
  expect(await takeOver(rig, rig.link, { inFlightAfterMs: 0 })).toMatchObject({
    enqueued: 0,
    known: 1,
  });
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  await queue.flushAndWait();
  expect(embedder.texts).toEqual(["newer"]);
  expect(await module.state()).toEqual(EMPTY);
});

test("a claim whose reply was lost is known as ours when it is sent again", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const module = await fill(scope);
  const twice: Hook = async (call) => {
    await call();
    return call();
  };
  const result = await takeOver(rig, intercept(rig.link, "claimFromModule", twice));
  expect(result).toMatchObject({ enqueued: 5, left: 0 });
  await expectAllOnce(scope, module);
});

test("the module enqueues a newer text, and the same once more, while the first is on its way", async () => {
  for (const [second, texts] of [
    ["newer", ["newer"]],
    ["first", ["first"]],
  ] as const) {
    await using scope = await testScope();
    await using rig = await openRig(scope);
    const module = new PythonModule(scope.client);
    await module.enqueue("msg:a", "first");
    for (const script of ["claimFromModule", "enqueue"]) {
      const hook = once(after(() => module.enqueue("msg:a", second)));
      await takeOver(rig, intercept(rig.link, script, hook));
    }
    const embedder = new FakeEmbedder();
    const queue = await scope.queue({ embedder });
    await queue.flushAndWait();
    expect(embedder.texts).toEqual([...texts]);
    expect(await scope.vector("msg:a")).toEqual([...embedder.vectorOf(second)]);
    expect(await module.state()).toEqual(EMPTY);
    await queue.stop();
  }
});

test("the tracking of what the module enqueued meanwhile is left to it", async () => {
  for (const text of ["text", "newer"]) {
    await using scope = await testScope();
    await using rig = await openRig(scope);
    const module = new PythonModule(scope.client);
    await module.enqueue("msg:a", "text");
    const ending = new AbortController();
    const meanwhile = once(after(() => module.enqueue("msg:a", text)));
    await takeOver(rig, intercept(rig.link, "enqueue", meanwhile), {
      signal: ending.signal,
      onProgress: () => ending.abort(),
    });
    expect(await module.state()).toMatchObject({
      pending: [memberOf("msg:a", text)],
      dedup: ["msg:a"],
    });
  }
});

test("what the module took back meanwhile is its own again", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const module = new PythonModule(scope.client);
  await module.enqueue("msg:a", "text");
  const later = new PythonModule(scope.client, 1000);
  const restart = once(after(() => later.reclaim()));
  await takeOver(rig, intercept(rig.link, "enqueue", restart), { chunkSize: 1 });
  expect(await module.state()).toEqual(EMPTY);
  expect(Object.keys(await scope.dedup())).toEqual(["msg:a"]);
});
