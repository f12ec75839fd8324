// Another model by configure(): which calls are refused, and what they say.

import { expect, test } from "bun:test";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { failure, testScope } from "../helpers/scope.ts";

const OLD = { model: "fake-1", dimensions: 4 };
const NEW = { model: "fake-2", dimensions: 8 };

test("another model without dimensions is refused, and both are named", async () => {
  await using scope = await testScope();
  await scope.worker({ embedder: new FakeEmbedder(OLD) });
  const admin = await scope.queue();
  const before = await scope.client.hGetAll(scope.keys.settings);
  const error = (await failure(admin.configure({ model: NEW.model }))) as Error;
  expect(error).toMatchObject({ code: "ERR_OPTION_INVALID" });
  expect(error.message).toContain("`model` and `dimensions` must be given together");
  expect(error.message).toContain('the 4 that are stored are of "fake-1"');
  expect(await scope.client.hGetAll(scope.keys.settings)).toEqual(before);
});

test("the stored model may be named without dimensions, and dimensions may change alone", async () => {
  await using scope = await testScope();
  const admin = await scope.queue();
  await admin.configure(OLD);
  expect((await admin.configure({ model: OLD.model })).space).toMatchObject(OLD);
  const space = (await admin.configure({ dimensions: 2 })).space;
  expect(space).toMatchObject({ ...OLD, dimensions: 2 });
});

const owners: [string, object, string][] = [
  ["its embedder", { embedder: new FakeEmbedder(OLD) }, "configure() on a queue without embedder"],
  ["its options", OLD, "configure() on a queue without embedder"],
];
test.each(owners)("a queue refuses another model than that of %s", async (_, options, advice) => {
  await using scope = await testScope();
  const queue = await scope.queue(options);
  const changes: [object, string, string][] = [
    [NEW, '"fake-2"', '"fake-1"'],
    [{ dimensions: 8 }, "dimensions 8", "ask for 4"],
    [{ task: "query" }, '"query"', '""'],
  ];
  for (const [change, wanted, kept] of changes) {
    const error = (await failure(queue.configure(change))) as Error;
    expect(error).toMatchObject({ code: "ERR_SETTINGS_CONFLICT" });
    for (const words of [wanted, kept, advice]) expect(error.message).toContain(words);
  }
  expect(queue.settings.space).toMatchObject(OLD);
  expect((await queue.configure({ ...OLD, maxBatchSize: 3 })).maxBatchSize).toBe(3);
});
