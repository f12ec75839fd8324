// Blank text: version, zero, settle, in this order. Nothing older is cleared before the zero stands.

import { expect, test } from "bun:test";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { testScope } from "../helpers/scope.ts";
import { intercept, lostRequest, once } from "./helpers/intercept.ts";
import { numbersOf, openRig, ZERO } from "./helpers/rig.ts";
import { startWorker } from "./helpers/worker.ts";

test("while the zero of a blank text is not written, the key's older work is still outstanding", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const older = await rig.enqueue("doc", "one");
  const link = intercept(rig.link, "write", lostRequest);
  await expect(rig.enqueue("doc", "  ", { link })).rejects.toThrow("the request was lost");
  expect(await rig.outstanding("doc")).toBeGreaterThanOrEqual(older.version);
  expect(await scope.stream()).toHaveLength(1);
  expect(await scope.client.exists("doc")).toBe(0);

  const embedder = new FakeEmbedder();
  await using _ = await startWorker(scope, { embedder });
  await scope.untilEmpty();
  expect(await scope.vector("doc")).toEqual([...ZERO]);
  expect((await scope.destination("doc"))["embedding_status"]).toBe("blank");
  expect(embedder.calls).toEqual([]);
});

test("a text that comes after a blank one whose producer died wins over its zero", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueue("doc", "one");
  const link = intercept(rig.link, "write", lostRequest);
  await expect(rig.enqueue("doc", "", { link })).rejects.toThrow();
  await rig.finish("doc", "two");
  expect(await scope.vector("doc")).toEqual(numbersOf("two"));
  await scope.expectEmpty();
});

test("a blank text over one in flight leaves that one's late vector no chance", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await rig.enqueue("doc", "one");
  const older = await rig.take("a");
  await rig.enqueue("doc", "");
  expect(await rig.write(older)).toBe("newer");
  expect(await rig.settle(older)).toBe("gone");
  expect(await scope.vector("doc")).toEqual([...ZERO]);
  await scope.expectEmpty();
});

test("a blank text of an idle key makes no entry and no provider call", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const { version } = await rig.enqueue("doc", "\n\t ");
  await scope.expectEmpty();
  expect(await scope.vector("doc")).toEqual([...ZERO]);
  expect(await scope.destination("doc")).toMatchObject({
    embedding_status: "blank",
    embedding_version: String(version),
  });
});

test("a blank text whose zero Redis refuses goes on the stream", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const refused = once(() => Promise.resolve(["OOM command not allowed"]));
  const link = intercept(rig.link, "write", refused);
  const { version } = await rig.enqueue("doc", "", { link });
  // The second try of the same call has written it.
  expect((await scope.destination("doc"))["embedding_version"]).toBe(String(version));
  await scope.expectEmpty();

  const always = intercept(rig.link, "write", () => Promise.resolve(["OOM command not allowed"]));
  const waiting = await rig.enqueue("other", "", { link: always });
  expect(await rig.outstanding("other")).toBe(waiting.version);
  const job = await rig.take("a");
  expect(job).toMatchObject({ key: "other", text: "" });
});
