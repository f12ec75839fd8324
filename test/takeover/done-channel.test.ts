// `doneChannelPrefix`: whoever waits on the channel of a key hears when its work is done, however it ended.

import { expect, test } from "bun:test";
import { EmbedderError } from "../../src/index.ts";
import { FakeEmbedder, throwing } from "../helpers/embedder.ts";
import { watchCommands } from "../helpers/monitor.ts";
import { heard, items, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";
import { DONE_PREFIX, listenForDone } from "./module.ts";

const OPTIONS = { doneChannelPrefix: DONE_PREFIX };

test("an embedded text: the vector is there before the message", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const seen: unknown[] = [];
  const subscriber = scope.client.duplicate();
  await subscriber.connect();
  await subscriber.subscribe(`${DONE_PREFIX}msg:1`, async (message) => {
    seen.push([message, await scope.vector("msg:1")]);
  });
  const queue = await scope.queue({ embedder, ...OPTIONS });
  await queue.enqueue("msg:1", "text");
  await queue.flushAndWait();
  await until(() => seen.length > 0, { what: "the message" });
  expect(seen).toEqual([["1", [...embedder.vectorOf("text")]]]);
  await subscriber.disconnect();
});

test("blank, unchanged, cancelled, given up, without a place: each is told of", async () => {
  await using scope = await testScope();
  await using done = await listenForDone(scope.client);
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder, onMissing: "skip", ...OPTIONS });
  const told = async (...keys: string[]) => {
    await until(() => done.keys.length >= keys.length, { what: `messages for ${keys.join()}` });
    expect(done.keys.toSorted()).toEqual(keys.toSorted());
    done.keys.length = 0;
  };
  for (const key of ["blank", "same", "dead"]) await scope.client.hSet(key, "body", "x");

  await queue.enqueue("blank", "  ");
  await told("blank");

  await queue.enqueue("same", "text");
  await queue.flushAndWait();
  await told("same");
  await queue.enqueue("same", "text");
  await told("same");

  await queue.enqueue("cancelled", "text");
  await queue.cancel("cancelled");
  await told("cancelled");
  await queue.cancel("cancelled");

  embedder.next(throwing(new EmbedderError("rejected", "no")));
  await queue.enqueue("dead", "bad text");
  await queue.flushAndWait();
  await told("dead");

  await scope.client.set("string", "x");
  await queue.enqueueMany([
    { key: "string", text: "no hash" },
    { key: "missing", text: "no key" },
  ]);
  await queue.flushAndWait();
  await told("string", "missing");
});

test("a blank text of which nobody knows the dimensions is told of by the worker", async () => {
  await using scope = await testScope();
  await using done = await listenForDone(scope.client);
  const producer = await scope.queue(OPTIONS);
  await producer.enqueue("blank", "");
  await scope.worker({ embedder: new FakeEmbedder(), ...OPTIONS });
  await producer.flushAndWait();
  await until(() => done.keys.length > 0, { what: "the message" });
  expect(done.keys).toEqual(["blank"]);
});

test("a text that was replaced while it was under way: told of with its vector, and again with the newer one's", async () => {
  await using scope = await testScope();
  await using done = await listenForDone(scope.client);
  const embedder = new FakeEmbedder();
  embedder.hold();
  const queue = await scope.queue({ embedder, maxBatchSize: 1, ...OPTIONS });
  await queue.enqueue("msg:1", "old");
  await until(() => embedder.calls.length === 1, { what: "the call of the old text" });
  await queue.pause();
  await queue.enqueue("msg:1", "new");
  embedder.release();
  await until(() => done.keys.length > 0, { what: "the first message" });
  expect(await scope.vector("msg:1")).toEqual([...embedder.vectorOf("old")]);
  await queue.resume();
  await queue.flushAndWait();
  await until(() => done.keys.length > 1, { what: "the second message" });
  expect(done.keys).toEqual(["msg:1", "msg:1"]);
  expect(await scope.vector("msg:1")).toEqual([...embedder.vectorOf("new")]);
});

test("a crash between the write and the settle: it is told of by the worker that finishes it", async () => {
  await using scope = await testScope();
  await using done = await listenForDone(scope.client);
  const embedder = new FakeEmbedder();
  const producer = await scope.queue({ leaseMs: 50 });
  const ticket = await producer.enqueue("msg:1", "text");
  await scope.abandon(1);
  await scope.client.hSet("msg:1", {
    embedding: Buffer.from(embedder.vectorOf("text").buffer),
    embedding_status: "embedded",
    embedding_version: String(ticket.version),
  });
  await scope.worker({ embedder, ...OPTIONS });
  await until(() => done.keys.length > 0, { what: "the message" });
  expect(done.keys).toEqual(["msg:1"]);
  expect(embedder.calls).toEqual([]);
  await scope.untilEmpty();
});

test("messages cost one trip a batch, and without the option none are sent", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  await using watch = await watchCommands(scope.url);
  const published = async (options: object) => {
    const queue = await scope.queue({ embedder, ...options });
    watch.clear();
    await queue.enqueueMany(items(20));
    await queue.enqueue("blank", "");
    await queue.flushAndWait();
    await queue.stop();
    await watch.settled();
    return watch.commands.filter(
      ({ command, args }) =>
        command === "PUBLISH" && !String(args[0]).includes(scope.keys.doorbell),
    ).length;
  };
  expect(await published({})).toBe(0);
  await scope.client.flushDb();
  expect(await published(OPTIONS)).toBe(21);
});

test("a message that Redis refuses is reported, and the work is done all the same", async () => {
  await using scope = await testScope();
  await scope.client.sendCommand([
    "ACL",
    "SETUSER",
    "limited",
    "on",
    ">secret",
    "~*",
    "+@all",
    "resetchannels",
    `&${scope.keys.doorbell}`,
    "&__key*",
  ]);
  const url = scope.url.replace("redis://", "redis://limited:secret@");
  const queue = await scope.queue({ redis: url, embedder: new FakeEmbedder(), ...OPTIONS });
  const failures = heard(queue, "publish:failed");
  const ticket = await queue.enqueue("msg:1", "text");
  const blank = await queue.enqueue("msg:2", " ");
  await queue.flushAndWait();
  expect((await ticket.outcome()).status).toBe("embedded");
  expect((await blank.outcome()).status).toBe("blank");
  await scope.untilEmpty();
  expect(failures).toHaveLength(2);
  expect(String(failures[0]?.error)).toMatch(/channel|NOPERM/);
});
