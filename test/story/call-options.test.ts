// The options of calls: what is misspelt or of the wrong type is refused, and never ignored.

import { expect, test } from "bun:test";
import type { EmbeddingQueue, EmbedqError, Ticket } from "../../src/index.ts";
import { failure, testScope } from "../helpers/scope.ts";

type Call = (queue: EmbeddingQueue, ticket: Ticket, options: never) => Promise<unknown>;

const calls: Readonly<Record<string, Call>> = {
  outcome: (_, ticket, options) => ticket.outcome(options),
  embedding: (_, ticket, options) => ticket.embedding(options),
  flushAndWait: (queue, _, options) => queue.flushAndWait(options),
  enqueueMany: (queue, _, options) => queue.enqueueMany([{ key: "b", text: "b" }], options),
  deadLetters: (queue, _, options) => queue.deadLetters(options),
  reembed: (queue, _, options) => queue.reembed(options),
  backfill: (queue, _, options) => queue.backfill(options),
  configure: (queue, _, options) => queue.configure(options),
};

const source = { match: "doc:*", textField: "body" };
const wrong: [string, unknown, string][] = [
  ["outcome", { timeout: 50 }, "did you mean `timeoutMs`?"],
  ["outcome", 50, "must be an object: they are 50"],
  ["outcome", null, "must be an object: they are null"],
  ["embedding", { timeout: 50 }, "did you mean `timeoutMs`?"],
  ["embedding", 50, "must be an object: they are 50"],
  ["embedding", { timeoutMs: "50" }, 'must be a number from 0: it is "50"'],
  ["embedding", { signal: "now" }, 'must be an AbortSignal: it is "now"'],
  ["flushAndWait", { timeout: 50 }, "did you mean `timeoutMs`?"],
  ["flushAndWait", 5, "must be an object: they are 5"],
  ["flushAndWait", { signal: {} }, "must be an AbortSignal: it is an object"],
  ["enqueueMany", { timeoutMs: 50 }, "`timeoutMs` as it is not an option: there are `signal`"],
  ["enqueueMany", { signal: true }, "must be an AbortSignal: it is true"],
  ["deadLetters", { limt: 1 }, "did you mean `limit`?"],
  ["deadLetters", { limit: 0 }, "must be at least 1: it is 0"],
  ["deadLetters", 5, "must be an object: they are 5"],
  ["reembed", undefined, "must be an object: they are missing"],
  ["reembed", { ...source, matsch: "doc:*" }, "did you mean `match`?"],
  ["reembed", { textField: "body" }, "`match` as it must be a pattern like doc:*: it is missing"],
  ["reembed", { match: "doc:*" }, "one of `textField` and `textOf` must be given: none is"],
  ["reembed", { ...source, textOf: () => [] }, "must be given: both are"],
  ["reembed", { ...source, signal: 5 }, "must be an AbortSignal: it is 5"],
  ["backfill", { ...source, includeDead: true }, "`includeDead` as it is not an option"],
  ["configure", { maxBatchsize: 2 }, "did you mean `maxBatchSize`?"],
  ["configure", undefined, "must be an object: they are missing"],
];

test("every call says what is wrong with its options, and does nothing", async () => {
  await using scope = await testScope();
  const queue = await scope.queue({ model: "fake-1", dimensions: 4 });
  const ticket = await queue.enqueue("a", "a");
  for (const [name, options, found] of wrong) {
    const call = calls[name] as Call;
    const error = (await failure(call(queue, ticket, options as never))) as EmbedqError;
    expect([name, options, error.code]).toEqual([name, options, "ERR_OPTION_INVALID"]);
    expect(error.message).toContain(found);
  }
  expect(await scope.stream()).toHaveLength(1);
  expect(await failure(queue.removeDeadLetters("1-1" as never))).toMatchObject({
    code: "ERR_INPUT_INVALID",
  });
});

test("undefined is as if left out", async () => {
  await using scope = await testScope();
  const queue = await scope.queue({ model: "fake-1", dimensions: 4 });
  const ticket = await queue.enqueue("a", "");
  const none = { timeoutMs: undefined, signal: undefined };
  expect((await ticket.outcome(none)).status).toBe("blank");
  expect(await ticket.embedding(undefined)).toHaveLength(4);
  expect(await queue.flushAndWait(none)).toEqual({ done: true, remaining: 0 });
  expect(await queue.deadLetters({ limit: undefined, after: undefined })).toEqual([]);
});
