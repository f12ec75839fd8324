// A claim whose reply was lost: the worker adopts what stands under its name, and nothing is counted.

import { expect, test } from "bun:test";
import { Leases } from "../../src/flow/claim.ts";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { startProxy } from "../helpers/proxy.ts";
import { items, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";
import { intercept, lostReply, lostRequest, once } from "./helpers/intercept.ts";
import { numbersOf, openRig, SPACE } from "./helpers/rig.ts";
import { startWorker } from "./helpers/worker.ts";

const ORDER = { max: 50, isAlone: true, reclaims: true, space: SPACE };

test("a claim whose reply was lost is adopted, and no delivery is counted for it", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueueMany(items(3));
  await rig.flush();
  const link = intercept(rig.link, "claim", once(lostReply));
  const leases = new Leases(link, "a", 60_000, () => {});
  expect(await leases.adopt()).toBeUndefined();
  await expect(leases.claim(ORDER)).rejects.toThrow("the reply was lost");
  expect(await scope.group()).toHaveLength(3);

  const adopted = await leases.adopt();
  expect(adopted).toMatchObject(
    items(3).map((item) => ({ ...item, kind: "embed", attempts: 0, deliveries: 1 })),
  );
  expect(await leases.adopt()).toBeUndefined();
  for (const entry of await scope.group()) expect(entry).toMatchObject({ deliveries: 1 });
});

test("a claim that never reached Redis leaves nothing to adopt", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueue("doc", "one");
  await rig.flush();
  const link = intercept(rig.link, "claim", once(lostRequest));
  const leases = new Leases(link, "a", 60_000, () => {});
  await expect(leases.claim(ORDER)).rejects.toThrow("the request was lost");
  expect(await leases.adopt()).toEqual([]);
  expect((await leases.claim(ORDER)).jobs).toMatchObject([{ key: "doc", deliveries: 1 }]);
});

test("what a worker knows of is not adopted a second time", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  let loses = false;
  const link = intercept(rig.link, "claim", (call) => (loses ? lostReply(call) : call()));
  const leases = new Leases(link, "a", 60_000, () => {});
  await rig.enqueue("known", "one");
  await rig.flush();
  await leases.claim(ORDER);
  loses = true;
  await rig.enqueue("lost", "two");
  await rig.flush();
  await expect(leases.claim(ORDER)).rejects.toThrow();
  expect(await leases.adopt()).toMatchObject([{ key: "lost" }]);
});

test("what was superseded or used up meanwhile is adopted as what it is by now", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueueMany(items(2));
  await rig.flush();
  const link = intercept(rig.link, "claim", once(lostReply));
  const leases = new Leases(link, "a", 60_000, () => {});
  await expect(leases.claim(ORDER)).rejects.toThrow();
  await rig.enqueue("doc:0", "another text");
  await scope.client.hSet(scope.keys.retries, "doc:1", "3");
  expect(await leases.adopt()).toMatchObject([{ key: "doc:1", kind: "giveUp" }]);
  expect(await scope.group()).toHaveLength(1);
});

test("a worker whose lost claim ended with the connection embeds it once, at once", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await using proxy = await startProxy(scope.server.port);
  const embedder = new FakeEmbedder();
  await using worker = await startWorker(scope, { embedder, url: proxy.url });
  await rig.enqueueMany(items(3));
  // The reply is still on its way when the entries are seen in the group.
  proxy.delay(250);
  await rig.flush();
  await until(async () => (await scope.group()).length === 3, { what: "the claim", everyMs: 1 });
  expect(embedder.calls).toEqual([]);
  proxy.delay(0);
  proxy.cut();

  const isOver = async () => (await scope.stream()).length === 0;
  await until(isOver, { what: "the adopted texts to be done" });
  expect(worker.heard("worker:failed").map(({ action }) => action)).toContain("claim");
  expect(embedder.calls.map((texts) => [...texts].sort())).toEqual([
    items(3).map(({ text }) => text),
  ]);
  expect(await scope.vector("doc:0")).toEqual(numbersOf("doc text 0"));
  await scope.expectEmpty();
});
