// A text whose embedding is stored already costs no provider call.

import { expect, test } from "bun:test";
import type { RedisClientLike } from "../../src/index.ts";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { testScope } from "../helpers/scope.ts";

test("an unchanged text is skipped: a new version, no entry, no call", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  const first = await queue.enqueue("doc:1", "same");
  await queue.flushAndWait();
  const before = await scope.destination("doc:1");
  const again = await queue.enqueue("doc:1", "same");
  await scope.expectEmpty();
  expect(again.version).toBeGreaterThan(first.version);
  expect(await again.outcome()).toMatchObject({ status: "embedded", superseded: false });
  expect(await again.embedding()).toEqual(embedder.vectorOf("same"));
  const after = await scope.destination("doc:1");
  expect(after["embedding_version"]).toBe(String(again.version));
  expect({ ...after, embedding_version: "" }).toEqual({ ...before, embedding_version: "" });
  expect(embedder.calls).toEqual([["same"]]);
});

test("a changed text is embedded", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  await queue.enqueue("doc:1", "one");
  await queue.flushAndWait();
  await queue.enqueue("doc:1", "two");
  await queue.flushAndWait();
  expect(embedder.calls).toEqual([["one"], ["two"]]);
});

test("skipUnchanged off embeds an unchanged text again", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder, skipUnchanged: false });
  for (let n = 0; n < 2; n++) {
    await queue.enqueue("doc:1", "same");
    await queue.flushAndWait();
  }
  expect(embedder.calls).toEqual([["same"], ["same"]]);
});

test("the stored text is not skipped while another one is outstanding", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  await queue.enqueue("doc:1", "one");
  await queue.flushAndWait();
  const two = await queue.enqueue("doc:1", "two");
  const one = await queue.enqueue("doc:1", "one");
  expect(one.version).toBeGreaterThan(two.version);
  await queue.flushAndWait();
  expect(await scope.vector("doc:1")).toEqual([...embedder.vectorOf("one")]);
  expect(await two.outcome()).toMatchObject({ superseded: true });
  expect(await one.outcome()).toMatchObject({ status: "embedded", superseded: false });
  await scope.untilEmpty();
});

test.each([
  ["the vector was taken away", (key: string) => ["HDEL", key, "embedding"]],
  ["the vector has another length", (key: string) => ["HSET", key, "embedding", "short"]],
  ["the whole hash was deleted", (key: string) => ["DEL", key]],
  ["the status is another", (key: string) => ["HSET", key, "embedding_status", "dead"]],
])("an unchanged text is embedded again when %s", async (_, damage) => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  await queue.enqueue("doc:1", "same");
  await queue.flushAndWait();
  await scope.client.sendCommand(damage("doc:1"));
  const again = await queue.enqueue("doc:1", "same");
  await queue.flushAndWait();
  expect(await again.embedding()).toEqual(embedder.vectorOf("same"));
  expect(embedder.calls).toHaveLength(2);
  await scope.untilEmpty();
});

test("a text whose destination changes between the look and the touch is embedded after all", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  await queue.enqueue("doc:1", "same");
  await queue.flushAndWait();

  // A client that lets somebody else in before the third command of an enqueue: look, enqueue, touch.
  let sent = 0;
  const own = scope.client.duplicate();
  await own.connect();
  const sendCommand = async (args: string[], options?: object): Promise<unknown> => {
    if (args[0]?.startsWith("EVAL") && ++sent === 3) {
      await scope.client.hSet("doc:1", { embedding_source: "changed", embedding: "by another" });
    }
    return own.sendCommand(args, options);
  };
  const client = new Proxy(own as unknown as RedisClientLike, {
    get(target, name) {
      if (name === "sendCommand") return sendCommand;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
  const racer = await scope.queue({ redis: client });
  sent = 0;
  const ticket = await racer.enqueue("doc:1", "same");
  expect(sent).toBeGreaterThanOrEqual(3);
  expect(await racer.pendingCount()).toBe(1);
  await racer.flushAndWait();
  expect(await ticket.embedding()).toEqual(embedder.vectorOf("same"));
  expect(embedder.calls).toHaveLength(2);
  await scope.untilEmpty();
  await racer.stop();
  await own.disconnect();
});

test("another model or task makes the same text a different source", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder({ task: "document" });
  const queue = await scope.queue({ embedder });
  await queue.enqueue("doc:1", "same");
  await queue.flushAndWait();
  await queue.stop();
  const changer = await scope.queue();
  await changer.configure({ task: "query" });
  const other = new FakeEmbedder({ task: "query" });
  const later = await scope.queue({ embedder: other });
  await later.enqueue("doc:1", "same");
  await later.flushAndWait();
  expect(other.calls).toEqual([["same"]]);
});
