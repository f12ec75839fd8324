// Tickets: their order, their life as data, and the wait in one queue object for work done in another.

import { expect, test } from "bun:test";
import type { TicketData } from "../../src/index.ts";
import { FakeEmbedder, throwingForTexts } from "../helpers/embedder.ts";
import { failure, items, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";

test("enqueueMany gives one ticket for each item, in the order of the items", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  const wanted = items(70);
  const tickets = await queue.enqueueMany(wanted);
  expect(tickets.map(({ key }) => key)).toEqual(wanted.map(({ key }) => key));
  const vectors = await Promise.all(tickets.map((ticket) => ticket.embedding()));
  expect(vectors).toEqual(wanted.map(({ text }) => embedder.vectorOf(text)));
  await scope.untilEmpty();
});

test("enqueueMany of nothing gives nothing and writes nothing", async () => {
  await using scope = await testScope();
  const queue = await scope.queue();
  const before = await scope.client.keys("*");
  expect(await queue.enqueueMany([])).toEqual([]);
  expect(await scope.client.keys("*")).toEqual(before);
});

test("a wait in one queue object ends for work done in another", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.hold();
  await scope.worker({ embedder });
  const [producer, other] = [await scope.queue(), await scope.queue()];
  const { key, version } = await producer.enqueue("doc:1", "elsewhere");
  const wait = other.ticket(key, version).embedding({ timeoutMs: 10_000 });
  await producer.flushNow();
  await until(() => embedder.active === 1, { what: "the call to begin" });
  embedder.release();
  expect(await wait).toEqual(embedder.vectorOf("elsewhere"));
  await scope.untilEmpty();
});

test("ticket data outlives its process: stored as JSON and asked in a later queue object", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const first = await scope.queue({ embedder });
  const stored = JSON.stringify(await first.enqueue("doc:1", "kept"));
  expect(Object.keys(JSON.parse(stored) as object).toSorted()).toEqual(["key", "version"]);
  await first.flushAndWait();
  await first.stop();
  const { key, version } = JSON.parse(stored) as TicketData;
  const later = await scope.queue();
  expect(await later.ticket(key, version).embedding()).toEqual(embedder.vectorOf("kept"));
  expect(await later.ticket(key, version).outcome()).toMatchObject({ superseded: false, version });
});

test("many waits for one key all end, also those of older versions", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  const tickets = [];
  for (let n = 0; n < 20; n++) tickets.push(await queue.enqueue("doc:1", `text ${n}`));
  const waits = Promise.all(tickets.map((ticket) => ticket.outcome()));
  await queue.flushNow();
  const outcomes = await waits;
  expect(outcomes.map((outcome) => "superseded" in outcome && outcome.superseded)).toEqual(
    tickets.map((_, n) => n < 19),
  );
  await scope.untilEmpty();
  expect(embedder.calls).toEqual([["text 19"]]);
});

test("a wait that takes too long ends with ERR_WAIT_TIMEOUT, and the text stays queued", async () => {
  await using scope = await testScope();
  const queue = await scope.queue();
  const ticket = await queue.enqueue("doc:1", "patient");
  expect(await failure(ticket.outcome({ timeoutMs: 30 }))).toMatchObject({
    code: "ERR_WAIT_TIMEOUT",
  });
  expect(await queue.pendingCount()).toBe(1);
});

test.each([Number.POSITIVE_INFINITY, 2 ** 31, 2 ** 40])(
  "a wait with timeoutMs %p does not time out at once",
  async (timeoutMs) => {
    await using scope = await testScope();
    const embedder = new FakeEmbedder();
    embedder.hold();
    const queue = await scope.queue({ embedder });
    const ticket = await queue.enqueue("doc:1", "patient");
    const wait = ticket.outcome({ timeoutMs });
    await queue.flushNow();
    await until(() => embedder.active === 1, { what: "the call to begin" });
    await queue.stats();
    embedder.release();
    expect(await wait).toMatchObject({ status: "embedded" });
    await scope.untilEmpty();
  },
);

test("a signal ends a wait with its reason, before and in the middle", async () => {
  await using scope = await testScope();
  const queue = await scope.queue();
  const ticket = await queue.enqueue("doc:1", "patient");
  const early = ticket.outcome({ signal: AbortSignal.abort(new Error("before")) });
  expect(await failure(early)).toMatchObject({ message: "before" });
  const abort = new AbortController();
  const failed = failure(ticket.embedding({ signal: abort.signal }));
  await queue.stats();
  abort.abort(new Error("in the middle"));
  expect(await failed).toMatchObject({ message: "in the middle" });
  expect(await queue.pendingCount()).toBe(1);
});

test("a signal ends enqueueMany between chunks; the error carries the tickets already made", async () => {
  await using scope = await testScope();
  const queue = await scope.queue();
  const before = queue.enqueueMany(items(3), { signal: AbortSignal.abort(new Error("before")) });
  expect(await failure(before)).toMatchObject({ message: "before" });
  expect(await queue.pendingCount()).toBe(0);

  const abort = new AbortController();
  const many = queue.enqueueMany(items(2000), { signal: abort.signal });
  const failed = failure(many);
  await until(async () => (await scope.stream()).length > 0, {
    what: "the first chunk",
    everyMs: 0,
  });
  abort.abort(new Error("in the middle"));
  const error = (await failed) as Error & { tickets: TicketData[] };
  expect(error).toMatchObject({ code: "ERR_ENQUEUE_FAILED", cause: { message: "in the middle" } });
  expect(error.tickets.length).toBeGreaterThan(0);
  expect(error.tickets.map(({ key }) => key)).toEqual(
    items(error.tickets.length).map(({ key }) => key),
  );
  expect(await queue.pendingCount()).toBe(error.tickets.length);
});

test("a ticket nobody awaits raises nothing, whatever becomes of its text", async () => {
  await using scope = await testScope();
  const unhandled: unknown[] = [];
  const listen = (reason: unknown) => unhandled.push(reason);
  process.on("unhandledRejection", listen);
  try {
    const embedder = new FakeEmbedder().always(throwingForTexts(() => new Error("always broken")));
    const queue = await scope.queue({ embedder, backoff: { baseMs: 1 } });
    await queue.enqueueMany(items(5));
    await queue.enqueue("cancelled", "gone");
    await queue.cancel("cancelled");
    await queue.flushAndWait();
    expect((await queue.stats()).dead).toBe(5);
    await queue.stop();
    await new Promise((resolve) => setImmediate(resolve));
    expect(unhandled).toEqual([]);
  } finally {
    process.off("unhandledRejection", listen);
  }
});

test.each([
  ["an empty key", "", "text"],
  ["a key with a lone surrogate", "doc:\ud800", "text"],
  ["a text with a lone surrogate", "doc:1", "half \udc00"],
  ["a text that is no string", "doc:1", undefined as unknown as string],
])("%s is refused before anything is written", async (_, key, text) => {
  await using scope = await testScope();
  const queue = await scope.queue();
  const many = queue.enqueueMany([
    { key: "good", text: "good" },
    { key, text },
  ]);
  expect(await failure(many)).toMatchObject({ code: "ERR_INPUT_INVALID" });
  await scope.expectEmpty();
});

test("a destination that is one of the queue's own keys is refused", async () => {
  await using scope = await testScope();
  const queue = await scope.queue();
  const failed = await failure(queue.enqueue(scope.keys.dedup, "text"));
  expect(failed).toMatchObject({ code: "ERR_INPUT_INVALID" });
  await scope.expectEmpty();
});

test.each([
  "ключ:ü:日本:😀",
  "with space",
  "{tag}:1",
  "a*b?[c]",
  "line\nbreak",
  "__keyspace@0__:x",
])("the key %p is a destination like any other", async (key) => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  const ticket = await queue.enqueue(key, "ünï 😀 text\nwith lines");
  const wait = ticket.embedding({ timeoutMs: 5000 });
  await queue.flushNow();
  expect(await wait).toEqual(embedder.vectorOf("ünï 😀 text\nwith lines"));
  // The wait ends with the write, and the settle comes after it.
  await scope.untilEmpty();
  expect(await queue.cancel(key)).toBe("absent");
});
