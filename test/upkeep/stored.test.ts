// Reading what destinations hold, by key and all under a pattern, without a ticket.

import { expect, test } from "bun:test";
import {
  decodeEmbedding,
  EmbedderError,
  encodeEmbedding,
  type StoredEmbedding,
} from "../../src/index.ts";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { failure, items, testScope } from "../helpers/scope.ts";

/** A vector as another system writes it. */
const foreign = (...numbers: number[]) => Buffer.from(encodeEmbedding(numbers));

/** What a reading brings, by key. */
async function all(reading: AsyncIterable<StoredEmbedding>): Promise<Map<string, StoredEmbedding>> {
  const found = new Map<string, StoredEmbedding>();
  for await (const one of reading) found.set(one.key, one);
  return found;
}

test("get tells what an embedded, a blank and a dead text left, and nothing of other hashes", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder().always((texts) =>
    texts.map((text) =>
      text === "bad" ? new EmbedderError("rejected", "no") : embedder.vectorOf(text),
    ),
  );
  const queue = await scope.queue({ embedder, onDead: "unset" });
  const [fine, blank, bad] = await queue.enqueueMany([
    { key: "doc:1", text: "Streams keep order" },
    { key: "doc:2", text: "  " },
    { key: "doc:3", text: "bad" },
  ]);
  await queue.flushAndWait();
  await scope.untilEmpty();
  expect(await queue.get("doc:1")).toEqual({
    key: "doc:1",
    status: "embedded",
    version: fine?.version,
    source: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
    embedding: embedder.vectorOf("Streams keep order"),
    fields: {},
  });
  expect(await queue.get("doc:2")).toEqual({
    key: "doc:2",
    status: "blank",
    version: blank?.version,
    source: undefined,
    embedding: new Float32Array(4),
    fields: {},
  });
  expect(await queue.get("doc:3")).toEqual({
    key: "doc:3",
    status: "dead",
    version: bad?.version,
    source: undefined,
    embedding: undefined,
    fields: {},
  });
  await scope.client.hSet("doc:4", "body", "no embedding of any kind");
  expect(await queue.get("doc:4")).toBeUndefined();
  expect(await queue.get("doc:5")).toBeUndefined();
});

test("get reads another system's vector of any size, under the queue's field", async () => {
  await using scope = await testScope();
  const queue = await scope.queue({ field: "vec", model: "fake-1", dimensions: 4 });
  await scope.client.hSet("doc:1", { vec: foreign(0.5, -1, 2), embedding: foreign(9) });
  expect(await queue.get("doc:1")).toEqual({
    key: "doc:1",
    status: undefined,
    version: undefined,
    source: undefined,
    embedding: new Float32Array([0.5, -1, 2]),
    fields: {},
  });
  await scope.client.hSet("doc:2", { vec_status: "odd", vec_version: "1.5", vec_source: "s" });
  expect(await queue.get("doc:2")).toEqual({
    key: "doc:2",
    status: undefined,
    version: undefined,
    source: "s",
    embedding: undefined,
    fields: {},
  });
});

test("get and embeddings read further fields of the hash, those that are there", async () => {
  await using scope = await testScope();
  const queue = await scope.queue();
  await scope.client.hSet("doc:1", { embedding: foreign(1), title: "Ströme" });
  const fields = ["title", "__proto__", "constructor", "absent"];
  expect((await queue.get("doc:1", { fields }))?.fields).toEqual({ title: "Ströme" });
  const found = await all(queue.embeddings({ fields: ["title"] }));
  expect(found.get("doc:1")?.fields).toEqual({ title: "Ströme" });
  const refused = await failure(queue.get("doc:1", { fields: [""] }));
  expect(refused).toMatchObject({ code: "ERR_OPTION_INVALID" });
});

test("get refuses a key of another type, bytes that are no vector, and what is no key", async () => {
  await using scope = await testScope();
  const queue = await scope.queue();
  await scope.client.set("doc:1", "a string");
  await scope.client.hSet("doc:2", "embedding", Buffer.alloc(5));
  await scope.client.hSet("doc:3", "embedding", "");
  const wrongType = await failure(queue.get("doc:1"));
  expect(wrongType).toMatchObject({ code: "ERR_INPUT_INVALID" });
  expect((wrongType as Error).message).toContain('"doc:1" as it must be a hash');
  expect(await failure(queue.get("doc:2"))).toMatchObject({ code: "ERR_EMBEDDING_CORRUPT" });
  expect(await failure(queue.get("doc:3"))).toMatchObject({ code: "ERR_EMBEDDING_CORRUPT" });
  expect(await failure(queue.get(""))).toMatchObject({ code: "ERR_INPUT_INVALID" });
});

test("embeddings brings every vector under the pattern once it stands, and nothing else", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  await queue.enqueueMany(items(700));
  await queue.flushAndWait();
  await scope.untilEmpty();
  await scope.client.hSet("doc:foreign", "embedding", foreign(1, 2));
  await scope.client.hSet("other:1", "embedding", foreign(3));
  await scope.client.hSet("doc:text", "body", "no vector yet");
  await scope.client.hSet("doc:damaged", "embedding", "abc");
  await scope.client.set("doc:string", "no hash");
  await scope.client.hSet(`{${scope.name}-2}:settings`, "embedding", foreign(4));
  const found = await all(queue.embeddings({ match: "doc:*", pageSize: 50 }));
  const wanted = [...items(700).map(({ key }) => key), "doc:foreign"];
  expect([...found.keys()].toSorted()).toEqual(wanted.toSorted());
  expect(found.get("doc:12")?.embedding).toEqual(embedder.vectorOf("doc text 12"));
  expect(found.get("doc:foreign")).toMatchObject({ status: undefined, version: undefined });
  const everything = await all(queue.embeddings());
  expect([...everything.keys()].toSorted()).toEqual([...wanted, "other:1"].toSorted());
});

test("embeddings ends with the signal's reason, and with ERR_STOPPED after a stop", async () => {
  await using scope = await testScope();
  const queue = await scope.queue();
  for (const { key } of items(100)) await scope.client.hSet(key, "embedding", foreign(1));
  const control = new AbortController();
  let met = 0;
  const cut = async () => {
    for await (const _ of queue.embeddings({ pageSize: 5, signal: control.signal })) {
      if (++met === 3) control.abort(new Error("enough"));
    }
  };
  expect(await failure(cut())).toMatchObject({ message: "enough" });
  expect(met).toBeGreaterThanOrEqual(3);
  expect(met).toBeLessThan(100);
  const reading = queue.embeddings({ pageSize: 5 });
  await reading.next();
  await queue.stop();
  expect(await failure(all(reading))).toMatchObject({ code: "ERR_STOPPED" });
});

test("embeddings begins again where Redis is restarted on the way, and misses none", async () => {
  await using scope = await testScope({ args: ["--save", "", "--appendonly", "yes"] });
  const queue = await scope.queue();
  for (const { key } of items(200)) await scope.client.hSet(key, "embedding", foreign(1));
  const reading = queue.embeddings({ match: "doc:*", pageSize: 10 });
  const found = new Set<string>();
  const first = await reading.next();
  if (first.done !== true) found.add(first.value.key);
  await scope.server.restart();
  for await (const { key } of reading) found.add(key);
  expect(found.size).toBe(200);
});

test("embeddings refuses bad options at once", async () => {
  await using scope = await testScope();
  const queue = await scope.queue();
  expect(() => queue.embeddings({ pageSize: 0 })).toThrow("`pageSize` as it must be at least 1");
  expect(() => queue.embeddings({ match: "" })).toThrow("`match` as it must be a pattern");
  await queue.stop();
  expect(() => queue.embeddings()).toThrow("the queue was stopped");
});

test("encodeEmbedding and decodeEmbedding are each other's reverse, on hashes read with any client", async () => {
  await using scope = await testScope();
  const queue = await scope.queue({ embedder: new FakeEmbedder() });
  const ticket = await queue.enqueue("doc:1", "Streams keep order");
  await queue.flushNow();
  const embedding = await ticket.embedding();
  const { bytes } = await scope.destination("doc:1");
  expect(decodeEmbedding(bytes as Buffer)).toEqual(embedding);
  expect(Buffer.from(encodeEmbedding(embedding)).equals(bytes as Buffer)).toBe(true);
});
