// Write, then settle: whatever Redis refuses or a crash cuts off, the text is outstanding or stored.

import { expect, test } from "bun:test";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";
import { Gate, intercept } from "./helpers/intercept.ts";
import { numbersOf, openRig } from "./helpers/rig.ts";
import { startWorker } from "./helpers/worker.ts";

test("a text stays outstanding while Redis refuses its vector, and is stored without a second call", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const embedder = new FakeEmbedder();
  embedder.hold();
  await using worker = await startWorker(scope, { embedder });
  const { version } = await rig.enqueue("doc", "one");
  await rig.flush();
  await until(() => embedder.active === 1, { what: "the call" });

  await scope.client.configSet("maxmemory", "1");
  embedder.release();
  const isRefused = () => worker.heard("worker:failed").some(({ action }) => action === "write");
  await until(isRefused, { what: "the refused write" });
  expect(await rig.outstanding("doc")).toBe(version);
  expect(await scope.group()).toMatchObject([{ consumer: worker.name, deliveries: 1 }]);
  expect(await scope.client.exists("doc")).toBe(0);

  await scope.client.configSet("maxmemory", "0");
  await until(async () => (await rig.outstanding("doc")) === 0, { what: "the settle" });
  expect(await scope.vector("doc")).toEqual(numbersOf("one"));
  expect(embedder.calls).toEqual([["one"]]);
  await scope.expectEmpty();
});

test("nothing is settled before its write was answered", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const gate = new Gate();
  await using _ = await startWorker(scope, {
    embedder: new FakeEmbedder(),
    wrap: (link) => intercept(link, "write", gate.hook),
  });
  const { version } = await rig.enqueue("doc", "one");
  await rig.flush();
  await gate.reached;
  const whileHeld = [await rig.outstanding("doc"), (await scope.group()).length];
  gate.open();
  expect(whileHeld).toEqual([version, 1]);
  await scope.untilEmpty();
  expect(await scope.vector("doc")).toEqual(numbersOf("one"));
});

test("a crash between write and settle costs no second provider call", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueue("doc", "one");
  const job = await rig.take("a");
  await rig.write(job);
  await rig.abandon(job);
  const embedder = new FakeEmbedder();
  await using _ = await startWorker(scope, { embedder });
  await scope.untilEmpty();
  expect(embedder.calls).toEqual([]);
  expect(await scope.vector("doc")).toEqual(numbersOf("one"));
});

test("a crash before the write costs a second call and loses nothing", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueue("doc", "one");
  await rig.abandon(await rig.take("a"));
  const embedder = new FakeEmbedder();
  await using _ = await startWorker(scope, { embedder });
  await scope.untilEmpty();
  expect(embedder.calls).toEqual([["one"]]);
  expect(await scope.vector("doc")).toEqual(numbersOf("one"));
});

test("an enqueue that Redis has no memory for is refused as a whole", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await scope.client.configSet("maxmemory", "1");
  await expect(rig.enqueue("doc", "one")).rejects.toThrow("OOM");
  await scope.client.configSet("maxmemory", "0");
  await scope.expectEmpty();
  expect(await scope.client.exists(scope.keys.clock)).toBe(0);
});
