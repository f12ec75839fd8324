// Unchanged text: skipped only where nothing is outstanding, and then with a version of its own.

import { expect, test } from "bun:test";
import { runCancel } from "../../src/redis/scripts/settle.ts";
import { testScope } from "../helpers/scope.ts";
import { before, intercept, once } from "./helpers/intercept.ts";
import { numbersOf, openRig } from "./helpers/rig.ts";

test("the stored text is not skipped while another one waits, and wins", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.finish("doc", "one");
  const two = await rig.enqueue("doc", "two");
  const one = await rig.enqueue("doc", "one");
  expect(one.version).toBeGreaterThan(two.version);
  expect(await rig.outstanding("doc")).toBe(one.version);
  const job = await rig.take("a");
  expect(job.text).toBe("one");
  await rig.write(job);
  await rig.settle(job);
  expect(await scope.vector("doc")).toEqual(numbersOf("one"));
  await scope.expectEmpty();
});

test("the stored text is not skipped while another one is in flight, and wins", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.finish("doc", "one");
  await rig.enqueue("doc", "two");
  const two = await rig.take("a");
  await rig.enqueue("doc", "one");
  expect(await rig.write(two)).toBe("ok");
  expect(await rig.settle(two)).toBe("gone");
  const one = await rig.take("b");
  expect(one.text).toBe("one");
  expect(await rig.write(one)).toBe("ok");
  await rig.settle(one);
  expect(await scope.vector("doc")).toEqual(numbersOf("one"));
  await scope.expectEmpty();
});

test("an unchanged text is skipped with a new version, so that a cancelled one in flight cannot overwrite it", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.finish("doc", "one");
  await rig.enqueue("doc", "two");
  const two = await rig.take("a");
  expect(await runCancel(rig.link, ["doc"])).toEqual(["inFlight"]);
  const one = await rig.enqueue("doc", "one");
  await scope.expectEmpty();
  expect(one.version).toBeGreaterThan(two.version);
  expect(await rig.write(two)).toBe("newer");
  expect(await scope.vector("doc")).toEqual(numbersOf("one"));
  expect((await scope.destination("doc"))["embedding_version"]).toBe(String(one.version));
});

test("a text that stops being the stored one before the touch is enqueued for real", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const { version } = await rig.finish("doc", "one");
  const overwrite = before(() => rig.put("doc", version + 1, { text: "foreign" }));
  const link = intercept(rig.link, "write", once(overwrite));
  const again = await rig.enqueue("doc", "one", { link });
  expect(await rig.outstanding("doc")).toBe(again.version);
  const job = await rig.take("a");
  expect(await rig.write(job)).toBe("ok");
  await rig.settle(job);
  expect(await scope.vector("doc")).toEqual(numbersOf("one"));
});

test("a text whose vector is damaged before the touch is enqueued for real", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.finish("doc", "one");
  const damage = before(() => scope.client.hSet("doc", "embedding", "short"));
  const link = intercept(rig.link, "write", once(damage));
  const { version } = await rig.enqueue("doc", "one", { link });
  expect(await rig.outstanding("doc")).toBe(version);
});

test("a destination whose vector is damaged, dead or of another text is not taken for unchanged", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.finish("short", "one");
  await scope.client.hSet("short", "embedding", "short");
  const dead = await rig.finish("dead", "one");
  await rig.put("dead", dead.version + 1, { op: "dead" });
  await rig.finish("other", "another");
  for (const key of ["short", "dead", "other"]) {
    const { version } = await rig.enqueue(key, "one");
    expect(await rig.outstanding(key)).toBe(version);
  }
});
