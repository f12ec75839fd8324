// Where a walk finds its texts: in a field of the hash, or by asking the application.

import { expect, test } from "bun:test";
import type { WalkError } from "../../src/index.ts";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { failure, testScope } from "../helpers/scope.ts";
import { changeModel, NEW, writeBodies, writeLibrary, wrongVectors } from "./library.ts";

test("a callback is asked for the keys of a page, and leaves out what it does not know", async () => {
  await using scope = await testScope();
  const keys = await writeLibrary(scope, 10);
  await changeModel(scope);
  const embedder = new FakeEmbedder(NEW);
  const queue = await scope.queue({ embedder });
  const asked: string[] = [];
  const result = await queue.reembed({
    match: "doc:*",
    textOf: (page) => {
      asked.push(...page);
      const text = (key: string) => (key === "doc:3" ? null : `asked ${key}`);
      return Promise.resolve(page.map((key) => (key === "doc:4" ? undefined : text(key))));
    },
  });
  expect(asked.toSorted()).toEqual(keys.toSorted());
  expect(result).toMatchObject({ matched: 10, enqueued: 8, skipped: 2 });
  await queue.flushAndWait();
  const known = keys.filter((key) => key !== "doc:3" && key !== "doc:4");
  expect(await wrongVectors(scope, embedder, known, (key) => `asked ${key}`)).toEqual([]);
});

test("a callback is not asked for what needs no text", async () => {
  await using scope = await testScope();
  await writeLibrary(scope, 5);
  await writeBodies(scope, 3, "new");
  const queue = await scope.queue();
  const asked: string[][] = [];
  const textOf = (page: readonly string[]) => {
    asked.push(page.toSorted());
    return Promise.resolve(page.map((key) => `text of ${key}`));
  };
  await queue.backfill({ match: "*", textOf });
  expect(asked).toEqual([["new:0", "new:1", "new:2"]]);
  expect(await queue.backfill({ match: "doc:*", textOf })).toMatchObject({ unchanged: 5 });
  expect(asked).toHaveLength(1);
});

test.each([
  ["too few texts", ["one"], "it is a list of 1"],
  ["no list", "one", "it is string"],
  ["a number", ["one", 2], "of type number"],
  ["half a character", ["one", "\ud800"], "of type string"],
])("a callback that returns %s ends the walk with nothing enqueued", async (_, returned, found) => {
  await using scope = await testScope();
  await writeBodies(scope, 2);
  const queue = await scope.queue();
  const textOf = () => Promise.resolve(returned as string[]);
  const error = (await failure(queue.backfill({ match: "doc:*", textOf }))) as WalkError;
  expect(error.cause).toMatchObject({ code: "ERR_INPUT_INVALID" });
  expect(error.message).toContain(found);
  expect(await scope.dedup()).toEqual({});
});

test("a field that is not there, or is no text, leaves its hash alone", async () => {
  await using scope = await testScope();
  await writeBodies(scope, 3);
  await scope.client.hDel("doc:0", "body");
  await scope.client.hSet("doc:0", "title", "no body");
  await scope.client.sendCommand(["HSET", "doc:1", "body", Buffer.from([0xff, 0xfe]) as never]);
  const queue = await scope.queue();
  const result = await queue.backfill({ match: "doc:*", textField: "body" });
  expect(result).toMatchObject({ matched: 3, enqueued: 1, skipped: 2 });
  expect(Object.keys(await scope.dedup())).toEqual(["doc:2"]);
});

test("blank texts get their zero vector at once where the model is known", async () => {
  await using scope = await testScope();
  await scope.client.hSet("doc:0", "body", " \n");
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  expect((await queue.backfill({ match: "doc:*", textField: "body" })).enqueued).toBe(1);
  expect(await scope.vector("doc:0")).toEqual([0, 0, 0, 0]);
  expect(embedder.calls).toEqual([]);
});

test.each<[string, object, string]>([
  ["no pattern", { match: "", textField: "body" }, "`match`"],
  ["no source", { match: "*" }, "none is"],
  ["two sources", { match: "*", textField: "body", textOf: () => [] }, "both are"],
  ["no field name", { match: "*", textField: "" }, "`textField`"],
  ["no function", { match: "*", textOf: "body" }, "`textOf`"],
  ["a foreign cursor", { match: "*", textField: "body", cursor: "17" }, "`cursor`"],
  ["a page of nothing", { match: "*", textField: "body", pageSize: 0 }, "`pageSize`"],
  ["a page of all", { match: "*", textField: "body", pageSize: 1e6 }, "`pageSize`"],
  ["no room", { match: "*", textField: "body", maxPending: 0 }, "`maxPending`"],
  ["a misspelt name", { match: "*", textfield: "body" }, "`textfield`"],
  [
    "dead ones in a backfill",
    { match: "*", textField: "body", includeDead: true },
    "`includeDead`",
  ],
  ["no listener", { match: "*", textField: "body", onProgress: 1 }, "`onProgress`"],
])("%s is refused before anything is looked at", async (_, options, named) => {
  await using scope = await testScope();
  const queue = await scope.queue();
  const error = await failure(queue.backfill(options as never));
  expect(error).toMatchObject({ name: "EmbedqError", code: "ERR_OPTION_INVALID" });
  expect(String(error)).toContain(named);
});

test("a queue that is not started walks nowhere", async () => {
  await using scope = await testScope();
  const queue = scope.newQueue();
  const error = await failure(queue.backfill({ match: "*", textField: "body" }));
  expect(error).toMatchObject({ code: "ERR_NOT_STARTED" });
});
