// Ways in which callers, providers and other writers are worse than expected, and still harm nobody.

import { expect, test } from "bun:test";
import { FakeEmbedder, httpError, throwing } from "../helpers/embedder.ts";
import { failure, heard, items, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";

test("an array that is emptied and used again while enqueueMany sends it loses no item", async () => {
  await using scope = await testScope();
  const queue = await scope.queue();
  const buffer = items(600);
  const accepting = queue.enqueueMany(buffer);
  buffer.length = 0;
  expect(await accepting).toHaveLength(600);
  expect(await queue.pendingCount()).toBe(600);
});

test("a text on which the provider answers 503 does not keep the others from being embedded", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder().always((texts, context) =>
    texts.includes("poison") ? throwing(httpError(503))(texts, context) : embedder.answer(texts),
  );
  const queue = await scope.queue({
    embedder,
    maxBatchSize: 5,
    concurrency: 1,
    cooldown: { baseMs: 20, maxMs: 40 },
  });
  await queue.enqueue("doc:poison", "poison");
  await queue.enqueueMany(items(60));
  await queue.flushNow();
  const others = new Set(items(60).map(({ text }) => text));
  const embedded = () => embedder.calls.filter((texts) => !texts.includes("poison")).flat();
  await until(() => new Set(embedded()).size >= others.size - 4, {
    what: "all but the neighbours of the poison to be embedded",
    timeoutMs: 20_000,
  });
  expect(await queue.deadLetters()).toEqual([]);
  await queue.cancel("doc:poison");
  await scope.untilEmpty();
});

test("an entry whose key is not text is set aside, and embedded neither once nor for ever", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder, flushIntervalMs: 0 });
  const key = Buffer.from([0x6b, 0xff, 0xfe]);
  const id = String(await scope.client.sendCommand(["XADD", scope.keys.pending, "*", "key", key]));
  const value = `1700000000000000 ${id}\nforeign`;
  await scope.client.sendCommand(["HSET", scope.keys.dedup, key, value]);
  await queue.enqueue("doc:0", "one");
  await until(async () => (await queue.deadLetters()).length > 0, { what: "a dead letter" });
  await scope.untilEmpty();
  expect(embedder.texts).toEqual(["one"]);
});

test("settings that are lost in the middle of a call cost no second one", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.hold();
  const queue = await scope.queue({ embedder, flushIntervalMs: 0 });
  const ticket = await queue.enqueue("doc:0", "one");
  await until(() => embedder.calls.length === 1, { what: "the call" });
  await scope.client.del(scope.keys.settings);
  embedder.release();
  expect(await ticket.embedding({ timeoutMs: 10_000 })).toEqual(embedder.vectorOf("one"));
  await scope.untilEmpty();
  expect(embedder.calls).toHaveLength(1);
});

test("an error whose message is an object becomes a reason like any other", async () => {
  await using scope = await testScope();
  const odd = Object.assign(new Error(), { message: { detail: "no" } });
  const embedder = new FakeEmbedder().next(throwing(odd));
  const queue = await scope.queue({ embedder, maxAttempts: 1 });
  await queue.enqueue("doc:0", "one");
  await queue.flushAndWait();
  expect(await queue.deadLetters()).toMatchObject([{ key: "doc:0", reason: "[object Object]" }]);
  await queue.enqueue("doc:1", "two");
  expect(await queue.flushAndWait()).toEqual({ done: true, remaining: 0 });
});

test("a destination that this Redis user may not write harms none of its batch", async () => {
  await using scope = await testScope();
  const allowed = [`~{${scope.name}}:*`, "~doc:*", "&*", "+@all", "on", ">secret"];
  await scope.client.sendCommand(["ACL", "SETUSER", "narrow", "reset", ...allowed]);
  const producer = await scope.queue();
  await producer.enqueueMany([{ key: "forbidden:1", text: "no" }, ...items(20)]);
  const embedder = new FakeEmbedder();
  const worker = scope.newWorker({
    redis: scope.url.replace("redis://", "redis://narrow:secret@"),
    embedder,
  });
  const dead = heard(worker, "text:dead");
  await worker.start();
  await scope.untilEmpty();
  expect(dead).toMatchObject([{ key: "forbidden:1" }]);
  for (const { key, text } of items(20)) {
    expect(await scope.vector(key)).toEqual([...embedder.vectorOf(text)]);
  }
});

test("a text that is refused after a newer one came leaves the stored vector alone", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  await queue.enqueue("doc:0", "first");
  await queue.flushAndWait();
  embedder.hold();
  embedder.next(throwing(Object.assign(new Error("bad"), { name: "Error" })));
  await queue.configure({ maxAttempts: 1 });
  await queue.enqueue("doc:0", "second");
  await queue.flushNow();
  await until(() => embedder.calls.length === 2, { what: "the call for the second text" });
  await queue.enqueue("doc:0", "third");
  embedder.release();
  await until(async () => (await queue.stats()).inFlight === 0, { what: "the second text to end" });
  expect(await scope.vector("doc:0")).toEqual([...embedder.vectorOf("first")]);
  expect(await queue.deadLetters()).toEqual([]);
  await queue.flushAndWait();
  expect(await scope.vector("doc:0")).toEqual([...embedder.vectorOf("third")]);
});

test("a model without dimensions cannot be configured where none are stored", async () => {
  await using scope = await testScope();
  const queue = await scope.queue();
  const error = await failure(queue.configure({ model: "half" }));
  expect(error).toMatchObject({ code: "ERR_OPTION_INVALID" });
  expect(queue.settings.space).toBeUndefined();
});

test("two texts of one key in one call never share a version, also over a stored one that is ahead", async () => {
  await using scope = await testScope();
  const queue = await scope.queue({ model: "fake-1", dimensions: 4 });
  const ahead = Date.now() * 1000 + 3_600_000_000;
  await scope.client.hSet("doc:0", "embedding_version", String(ahead));
  const tickets = await queue.enqueueMany([
    { key: "doc:0", text: " " },
    { key: "doc:0", text: "one" },
    { key: "doc:0", text: "two" },
  ]);
  const versions = tickets.map(({ version }) => version);
  expect(new Set(versions).size).toBe(3);
  expect(versions).toEqual(versions.toSorted((a, b) => a - b));
  expect(versions[0]).toBeGreaterThan(ahead);
});
