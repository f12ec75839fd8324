// Failed attempts: counted, bounded, and never a neighbour's.

import { expect, test } from "bun:test";
import { EmbedderError, type EmbedResult } from "../../src/index.ts";
import { type Behaviour, FakeEmbedder, HARMLESS, throwing } from "../helpers/embedder.ts";
import { failure, heard, items, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";

test("a failing text is tried three times, then it is dead: zero vector, status, dead letter", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder().always(throwing(new Error("never works")));
  const queue = await scope.queue({ embedder });
  const retried = heard(queue, "text:retried");
  const dead = heard(queue, "text:dead");
  const ticket = await queue.enqueue("doc:1", "bad text");
  await queue.flushNow();
  expect(await ticket.outcome()).toMatchObject({ status: "dead", superseded: false });
  expect(await ticket.embedding()).toEqual(new Float32Array(4));
  await scope.untilEmpty();
  expect(embedder.calls).toHaveLength(3);
  expect(retried.map(({ attempts }) => attempts)).toEqual([1, 2]);
  expect(retried.every(({ key, version }) => key === "doc:1" && version === ticket.version)).toBe(
    true,
  );
  await until(() => dead.length === 1, { what: "text:dead" });
  expect(dead).toEqual([
    { key: "doc:1", version: ticket.version, attempts: 3, reason: "never works" },
  ]);
  const stored = await scope.destination("doc:1");
  expect(stored.bytes).toEqual(Buffer.alloc(16));
  expect(stored["embedding_status"]).toBe("dead");
  expect(stored["embedding_source"]).toBeUndefined();
  const [letter] = await queue.deadLetters();
  expect(letter).toMatchObject({
    key: "doc:1",
    text: "bad text",
    version: ticket.version,
    reason: "never works",
    attempts: 3,
    raw: undefined,
  });
  expect(Math.abs((letter?.deadAt ?? 0) - Date.now())).toBeLessThan(60_000);
});

test("failed attempts are counted in the retries hash and forgotten on success", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder().next(throwing(new Error("once")));
  const queue = await scope.queue({ embedder });
  await queue.enqueue("doc:1", "text");
  const counts: unknown[] = [];
  embedder.next(async (texts) => {
    counts.push(await scope.retries());
    return embedder.answer(texts);
  });
  await queue.flushAndWait();
  expect(counts).toEqual([{ "doc:1": "1" }]);
  expect(await scope.vector("doc:1")).toEqual([...embedder.vectorOf("text")]);
  expect(await scope.retries()).toEqual({});
  await scope.expectEmpty();
});

test("maxAttempts is the queue's: 1 means one call", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder().always(throwing(new Error("no")));
  const queue = await scope.queue({ embedder, maxAttempts: 1 });
  const ticket = await queue.enqueue("doc:1", "text");
  await queue.flushNow();
  expect((await ticket.outcome()).status).toBe("dead");
  await scope.untilEmpty();
  expect(embedder.calls).toHaveLength(1);
});

test("attempts survive the worker: a second worker goes on counting", async () => {
  await using scope = await testScope();
  const once = new FakeEmbedder().next(throwing(new Error("no")));
  once.always(() => new Promise<never>(() => {}));
  const first = await scope.worker({ embedder: once, stopTimeoutMs: 0 });
  const producer = await scope.queue();
  const ticket = await producer.enqueue("doc:1", "text");
  await producer.flushNow();
  await until(() => once.calls.length === 2, { what: "the second attempt, which does not end" });
  expect(await scope.retries()).toEqual({ "doc:1": "1" });
  await first.stop();
  const embedder = new FakeEmbedder().always(throwing(new Error("no")));
  await scope.worker({ embedder });
  expect((await ticket.outcome({ timeoutMs: 10_000 })).status).toBe("dead");
  await scope.untilEmpty();
  expect(embedder.calls).toHaveLength(2);
});

test("onDead unset: a dead text leaves no vector, and an older one is taken away", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder, onDead: "unset" });
  await queue.enqueue("doc:1", "good");
  await queue.flushAndWait();
  embedder.always(throwing(new Error("bad day")));
  const ticket = await queue.enqueue("doc:1", "bad");
  await queue.flushNow();
  const outcome = await ticket.outcome();
  expect(outcome).toMatchObject({ status: "dead", embedding: undefined });
  expect(await failure(ticket.embedding())).toMatchObject({ code: "ERR_EMBEDDING_UNSET" });
  await scope.untilEmpty();
  const { bytes, ...fields } = await scope.destination("doc:1");
  expect(bytes).toBeUndefined();
  expect(fields as object).toEqual({
    embedding_status: "dead",
    embedding_version: String(ticket.version),
  });
  expect(await queue.deadLetters()).toHaveLength(1);
});

const BROKEN: [string, Behaviour][] = [
  ["fewer results than texts", (texts) => texts.slice(1).map(() => [1, 2, 3, 4])],
  ["more results than texts", (texts) => [...texts, ""].map(() => [1, 2, 3, 4])],
  ["no list", () => undefined as unknown as EmbedResult[]],
  ["vectors that are too short", (texts) => texts.map(() => [1, 2, 3])],
  ["bytes of the wrong length", (texts) => texts.map(() => new Uint8Array(15))],
  ["NaN", (texts) => texts.map(() => [1, 2, Number.NaN, 4])],
  ["Infinity", (texts) => texts.map(() => [1, 2, Number.POSITIVE_INFINITY, 4])],
  ["numbers beyond float32", (texts) => texts.map(() => [1, 2, 1e39, 4])],
  ["null in the place of a vector", (texts) => texts.map(() => null as unknown as EmbedResult)],
  ["strings", (texts) => texts.map(() => "vector" as unknown as EmbedResult)],
  ["holes", (texts) => texts.map(() => [1, 2, undefined as unknown as number, 4])],
];
test.each(BROKEN)(
  "an embedder that returns %s is not believed: the attempt failed",
  async (_, behave) => {
    await using scope = await testScope();
    const embedder = new FakeEmbedder().next(behave);
    const queue = await scope.queue({ embedder });
    const retried = heard(queue, "text:retried");
    await queue.enqueueMany(items(3));
    expect(await queue.flushAndWait()).toEqual({ done: true, remaining: 0 });
    expect(retried.map(({ key }) => key).toSorted()).toEqual(items(3).map(({ key }) => key));
    expect(retried[0]?.error).toMatchObject({ code: "ERR_EMBEDDER_CONTRACT" });
    for (const { key, text } of items(3)) {
      expect(await scope.vector(key)).toEqual([...embedder.vectorOf(text)]);
    }
    await scope.expectEmpty();
  },
);

test("a wrong vector for one text harms that text only", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.always((texts) =>
    texts.map((text) => (text === "doc text 1" ? [1] : embedder.vectorOf(text))),
  );
  const queue = await scope.queue({ embedder });
  const tickets = await queue.enqueueMany(items(3));
  await queue.flushAndWait();
  const outcomes = await Promise.all(tickets.map((ticket) => ticket.outcome()));
  expect(outcomes.map(({ status }) => status)).toEqual(["embedded", "dead", "embedded"]);
  await scope.untilEmpty();
});

test("a text that the provider refuses is dead at once, and its neighbours lose no attempt", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.always((texts) => {
    if (texts.includes("doc text 17")) throw new EmbedderError("rejected", "not this text");
    return embedder.answer(texts);
  });
  const queue = await scope.queue({ embedder });
  const retried = heard(queue, "text:retried");
  const dead = heard(queue, "text:dead");
  const tickets = await queue.enqueueMany(items(50));
  const outcomes = await Promise.all(tickets.map((ticket) => ticket.outcome()));
  expect(outcomes.filter(({ status }) => status === "embedded")).toHaveLength(49);
  expect(outcomes[17]?.status).toBe("dead");
  await scope.untilEmpty();
  await until(() => dead.length === 1, { what: "text:dead" });
  expect(dead).toMatchObject([{ key: "doc:17", reason: "not this text", attempts: 0 }]);
  expect(retried).toEqual([]);
  // Halving: at most 2·log2(50) further calls.
  expect(embedder.calls.length).toBeLessThanOrEqual(13);
});

test("a refusal given for one text alone costs no further call", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.always((texts) =>
    texts.map((text) =>
      text === "doc text 3" ? new EmbedderError("rejected", "too long") : embedder.vectorOf(text),
    ),
  );
  const queue = await scope.queue({ embedder });
  await queue.enqueueMany(items(10));
  await queue.flushAndWait();
  expect(embedder.calls).toHaveLength(1);
  expect(await queue.deadLetters()).toMatchObject([{ key: "doc:3", reason: "too long" }]);
  await scope.expectEmpty();
});

test("a text that breaks every call it is in dies alone: its 49 neighbours are all embedded", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.always((texts) => {
    if (texts.includes("doc text 5")) throw new Error("unclassified");
    return embedder.answer(texts);
  });
  const queue = await scope.queue({ embedder });
  const tickets = await queue.enqueueMany(items(50));
  const outcomes = await Promise.all(
    tickets.map((ticket) => ticket.outcome({ timeoutMs: 15_000 })),
  );
  expect(outcomes.filter(({ status }) => status === "embedded")).toHaveLength(49);
  expect(outcomes[5]?.status).toBe("dead");
  await scope.untilEmpty();
  expect(await queue.deadLetters()).toMatchObject([{ key: "doc:5", attempts: 3 }]);
});

test("retries that are due at different times are all tried soon after they are due", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.next((texts) => texts.map((text) => new Error(`not yet: ${text.length}`)));
  const queue = await scope.queue({ embedder, backoff: { baseMs: 500, maxMs: 500 } });
  const tickets = await queue.enqueueMany(items(20));
  await queue.flushNow();
  const vectors = await Promise.all(
    tickets.map((ticket) => ticket.embedding({ timeoutMs: 10_000 })),
  );
  expect(vectors).toEqual(items(20).map(({ text }) => embedder.vectorOf(text)));
  await scope.untilEmpty();
});

test("a dead text that is enqueued again is tried again, not skipped as unchanged", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.next(throwing(new EmbedderError("rejected", "not today")));
  const queue = await scope.queue({ embedder });
  const dead = await queue.enqueue("doc:1", "text");
  await queue.flushNow();
  expect((await dead.outcome()).status).toBe("dead");
  const again = await queue.enqueue("doc:1", "text");
  await queue.flushNow();
  expect(await again.outcome()).toMatchObject({ status: "embedded", superseded: false });
  expect(await dead.outcome()).toMatchObject({ status: "embedded", superseded: true });
  await scope.untilEmpty();
});

test("a text given back at once is claimed anew by the same worker, however busy its doorbell", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  let failures = 0;
  embedder.always((texts) => {
    if (!texts.includes(HARMLESS) && failures++ < 40) throw new Error("again");
    return embedder.answer(texts);
  });
  const queue = await scope.queue({ embedder, maxAttempts: 1000, backoff: { baseMs: 0 } });
  const producer = await scope.queue();
  const [ticket] = await producer.enqueueMany(items(1));
  let isOver = false;
  const outcome = ticket?.outcome({ timeoutMs: 8000 }).finally(() => {
    isOver = true;
  });
  // Rings all the time, so that claims go out while the replies of give-backs are on their way.
  await until(
    async () => {
      await producer.flushNow();
      return isOver;
    },
    { what: "the text to come through", timeoutMs: 10_000, everyMs: 0 },
  );
  expect(await outcome).toMatchObject({ status: "embedded" });
  expect(embedder.texts.filter((text) => text !== HARMLESS)).toHaveLength(41);
  expect((await queue.stats()).dead).toBe(0);
  await scope.untilEmpty();
});
