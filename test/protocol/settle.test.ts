// Settling by version: what is let go of, and what stays.

import { expect, test } from "bun:test";
import { spaceTag } from "../../src/model/settings.ts";
import { runConfigure } from "../../src/redis/scripts/settings.ts";
import { runSettle } from "../../src/redis/scripts/settle.ts";
import { testScope } from "../helpers/scope.ts";
import { numbersOf, openRig, SPACE } from "./helpers/rig.ts";

test("a settle takes field, count and entry away together", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueue("doc", "one");
  const job = await rig.take("a");
  await scope.client.hSet(scope.keys.retries, "doc", "1");
  expect(await rig.settle(job)).toBe("done");
  await scope.expectEmpty();
  expect(await rig.settle(job)).toBe("gone");
});

test("a late settle of an older version leaves the newer work", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueue("doc", "one");
  const older = await rig.take("a");
  const { version } = await rig.enqueue("doc", "two");
  await rig.write(older);
  expect(await rig.settle(older)).toBe("gone");
  expect(await rig.outstanding("doc")).toBe(version);
  const newer = await rig.take("b");
  expect(newer).toMatchObject({ text: "two", version });
  expect(await rig.write(newer)).toBe("ok");
  expect(await rig.settle(newer)).toBe("done");
  expect(await scope.vector("doc")).toEqual(numbersOf("two"));
  await scope.expectEmpty();
});

test("a settle of a superseded entry takes that entry and no other away", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueue("doc", "one");
  const older = await rig.take("a");
  await rig.enqueue("doc", "two");
  const newer = await rig.take("b");
  await scope.client.hSet(scope.keys.retries, "doc", "1");
  expect(await rig.settle(older)).toBe("gone");
  expect((await scope.stream()).map(({ id }) => id)).toEqual([newer.entryId]);
  expect((await scope.group()).map(({ id }) => id)).toEqual([newer.entryId]);
  expect(await scope.retries()).toEqual({ doc: "1" });
});

test("a settle goes by version, not by owner: a late worker has done the work", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueue("doc", "one");
  const late = await rig.take("a");
  await rig.abandon(late);
  const again = await rig.take("b");
  expect(await rig.write(late)).toBe("ok");
  expect(await rig.settle(late)).toBe("done");
  await scope.expectEmpty();
  expect(await rig.write(again)).toBe("ok");
  expect(await rig.settle(again)).toBe("gone");
  expect(await scope.vector("doc")).toEqual(numbersOf("one"));
});

test("an entry that stands for a newer text after lost data stays", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueue("doc", "one");
  const job = await rig.take("a");
  const lifted = `${job.version + 5} ${job.entryId}\ntwo`;
  await scope.client.hSet(scope.keys.dedup, "doc", lifted);
  expect(await rig.settle(job)).toBe("newer");
  expect(await scope.dedup()).toEqual({ doc: lifted });
  expect((await scope.group()).map(({ id }) => id)).toEqual([job.entryId]);
});

test("vectors of a model that the queue no longer has are not settled", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueue("doc", "one");
  const job = await rig.take("a");
  await rig.fail("a", job, { spendsAttempt: false });
  await runConfigure(rig.link, { ...SPACE, model: "another-1" });
  expect(await runSettle(rig.link, spaceTag(SPACE), [job])).toBeUndefined();
  expect(await rig.outstanding("doc")).toBe(job.version);
});
