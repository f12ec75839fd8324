// The queue's own data, damaged by hand: found, told, mended, and then whole.

import { expect, test } from "bun:test";
import { EmbedderError } from "../../src/index.ts";
import { FakeEmbedder, throwing } from "../helpers/embedder.ts";
import { items, type Scope, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";
import { diagnoseScope, faults, of, WELL_SET_UP } from "./findings.ts";

/** A queue that has worked before, with three texts that nobody works on. */
async function threeTexts(scope: Scope): Promise<void> {
  const worker = await scope.worker({ embedder: new FakeEmbedder() });
  const queue = await scope.queue();
  await queue.enqueue("first", "text");
  await queue.flushAndWait();
  await worker.stop();
  await queue.enqueueMany(items(3));
}

/** A worker that ends it all, and shows that every text is still embedded. */
async function workOff(scope: Scope): Promise<void> {
  const queue = await scope.queue({ embedder: new FakeEmbedder() });
  expect(await queue.flushAndWait()).toMatchObject({ remaining: 0 });
  await scope.untilEmpty();
}

test("a deleted group is a problem, and fix makes it with everything still to do", async () => {
  await using scope = await testScope({ args: WELL_SET_UP });
  await threeTexts(scope);
  await scope.abandon(2);
  await scope.client.xGroupDestroy(scope.keys.pending, "embedders");
  const [finding] = of(await diagnoseScope(scope), "group");
  expect(finding).toMatchObject({ level: "problem", isFixable: true });
  expect(finding?.found).toStartWith("3 entries on the stream, and the group");

  const fixing = await diagnoseScope(scope, { fix: true });
  expect(of(fixing, "group")).toMatchObject([{ level: "problem", fixed: true }]);
  expect(fixing.isHealthy).toBe(true);
  expect(of(await diagnoseScope(scope), "group")).toMatchObject([{ level: "ok" }]);
  await workOff(scope);
});

test("a group that no worker has made yet is no fault", async () => {
  await using scope = await testScope({ args: WELL_SET_UP });
  const queue = await scope.queue({ model: "fake-1", dimensions: 4 });
  await queue.enqueueMany(items(2));
  const diagnosis = await diagnoseScope(scope);
  expect(of(diagnosis, "group")).toMatchObject([{ level: "note" }]);
  expect(of(diagnosis, "work")).toMatchObject([{ level: "warning" }]);
  expect(diagnosis.isHealthy).toBe(true);
});

test("dedup orphans of every kind are counted, and fix leaves nothing but what can be embedded", async () => {
  await using scope = await testScope({ args: WELL_SET_UP });
  scope.damagesData();
  await threeTexts(scope);
  const { pending, dedup, retries } = scope.keys;
  const [first, second, third] = await scope.stream();
  // Three pages of fields that have lost their entries.
  const [head = "", text = ""] = String(await scope.client.hGet(dedup, "doc:0")).split("\n");
  const lost = Array.from({ length: 450 }, (_, i) => [`lost:${i}`, `${head}\n${text}`]);
  await scope.client.hSet(dedup, Object.fromEntries(lost));
  await scope.client.xDel(pending, first?.id ?? "");
  await scope.client.hSet(dedup, "rubbish", "no version");
  await scope.client.hDel(dedup, "doc:1");
  await scope.client.hSet(retries, { nobody: "2" });
  await scope.client.xAdd(pending, "*", { colour: "blue" });
  // Handed out and removed behind the group's back; and passed over by the group.
  const [held] = await scope.abandon(1);
  expect(held).toBe(second?.id ?? "none");
  await scope.client.xDel(pending, second?.id ?? "");
  await scope.client.xGroupSetId(pending, "embedders", third?.id ?? "");

  const before = await diagnoseScope(scope);
  const told = of(before, "orphans").map(({ level, found }) => `${level} ${found.slice(0, 26)}`);
  expect(told).toEqual([
    "problem 451 outstanding texts have",
    "problem 1 entry counts as handed o",
    "problem 1 outstanding text cannot ",
    "warning 1 entry on the stream is n",
    "warning 1 entry of the group is no",
    "warning 1 count of failures belong",
  ]);
  expect(before.isHealthy).toBe(false);
  expect((await diagnoseScope(scope, { fix: true })).isHealthy).toBe(true);
  expect(of(await diagnoseScope(scope), "orphans")).toMatchObject([{ level: "ok" }]);
  expect((await scope.dead()).map(({ reason }) => reason).toSorted()).toEqual([
    "damaged",
    "malformed",
  ]);
  expect(await scope.stream()).toHaveLength(452);
  await workOff(scope);
  expect(await scope.vector("doc:2")).toHaveLength(4);
  expect(await scope.vector("lost:449")).toHaveLength(4);
});

test("entries whose texts were deleted are a warning, and fix removes them", async () => {
  await using scope = await testScope({ args: WELL_SET_UP });
  scope.damagesData();
  await threeTexts(scope);
  await scope.client.del(scope.keys.dedup);
  const [finding] = of(await diagnoseScope(scope, { fix: true }), "orphans");
  expect(finding).toMatchObject({ level: "warning", fixed: true });
  expect(finding?.found).toStartWith("3 entries stand for no outstanding text");
  await scope.expectEmpty();
});

test("a worker that died with texts in hand is told, and that none is there to take them over", async () => {
  await using scope = await testScope({ args: WELL_SET_UP });
  await threeTexts(scope);
  await scope.client.hSet(scope.keys.settings, { leaseMs: "50" });
  await scope.abandon(1);
  const findings = await until(
    async () => {
      const work = of(await diagnoseScope(scope), "work");
      expect(work).toHaveLength(2);
      return work;
    },
    { what: "the lease to run out" },
  );
  expect(findings.map(({ level }) => level)).toEqual(["warning", "warning"]);
  expect(findings[0]?.found).toContain("holds 1 text, longer than the lease of 50 ms");
  expect(findings[1]?.found).toBe("2 texts outstanding, and no worker is running");
  await workOff(scope);
});

test("a pause, a cool-down and dead letters are told", async () => {
  await using scope = await testScope({ args: WELL_SET_UP });
  const queue = await scope.queue({ model: "fake-1", dimensions: 4 });
  await queue.pause();
  const endsAt = Date.now() + 60_000;
  await scope.client.set(scope.keys.cooldown, `${endsAt} 3`, { PX: 120_000 });
  await scope.client.hSet(scope.keys.settings, { deadLettersDropped: "5" });
  await scope.client.xAdd(scope.keys.dead, "*", { key: "doc:1", text: "private words" });
  const diagnosis = await diagnoseScope(scope);
  expect(faults(diagnosis)).toEqual([
    "work: warning",
    "work: note",
    "dead-letters: warning",
    "dead-letters: note",
  ]);
  expect(JSON.stringify(diagnosis)).not.toContain("private words");
  await queue.resume();
  await scope.client.del(scope.keys.cooldown);
  expect(of(await diagnoseScope(scope), "work")).toMatchObject([{ level: "ok" }]);
});

test("a worker that pauses by its own fault is told with its reason", async () => {
  await using scope = await testScope({ args: WELL_SET_UP });
  const embedder = new FakeEmbedder();
  embedder.always(throwing(new EmbedderError("fatal", "The key was revoked")));
  await scope.worker({ embedder, cooldown: { baseMs: 60_000, maxMs: 60_000 } });
  const queue = await scope.queue();
  await queue.enqueueMany(items(2));
  await queue.flushNow();
  const found = await until(
    async () => {
      const work = of(await diagnoseScope(scope), "work");
      expect(work.map((finding) => finding.found).join()).toContain("by its own fault");
      return work;
    },
    { what: "the worker to say that it pauses" },
  );
  expect(found[0]).toMatchObject({ level: "warning" });
  expect(found[0]?.found).toContain("The key was revoked");
  await scope.client.del([scope.keys.pending, scope.keys.dedup]);
});

test("a foreign value in the place of the stream ends no other check", async () => {
  await using scope = await testScope({ args: WELL_SET_UP });
  await scope.client.set(scope.keys.pending, "somebody else's");
  const diagnosis = await diagnoseScope(scope, { fix: true });
  expect(of(diagnosis, "orphans")[0]).toMatchObject({ level: "problem" });
  expect(of(diagnosis, "orphans")[0]?.advice).toContain("another queue name");
  expect(of(diagnosis, "dead-letters")).toHaveLength(1);
  expect(await scope.client.get(scope.keys.pending)).toBe("somebody else's");
  await scope.client.del(scope.keys.pending);
});
