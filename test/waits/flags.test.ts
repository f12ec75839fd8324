// The server-wide flags of keyspace notifications: added when the first wait begins, never taken
// from others, set again where a restarted Redis has forgotten them.

import { expect, test } from "bun:test";
import { FakeEmbedder, vectorOf } from "../helpers/embedder.ts";
import { watchCommands } from "../helpers/monitor.ts";
import { heard, type Scope, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";
import { flags, heardKeys, untilHeard } from "./pubsub.ts";

const FLAGS = "notify-keyspace-events";
/** Longer than the timer of waits without events, far shorter than the one of waits with them. */
const BY_EVENT = { timeoutMs: 10_000 };

test("flags of others are kept, and none is touched before the first wait", async () => {
  await using scope = await testScope();
  await scope.client.configSet(FLAGS, "Ex");
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder, flushIntervalMs: 0 });
  const enabled = heard(queue, "notifications:enabled");
  const ticket = await queue.enqueue("doc:0", "one");
  await scope.untilEmpty();
  expect(await flags(scope)).toBe("Ex");

  await ticket.embedding();
  await until(() => enabled.length === 1, { what: "the event" });
  expect(await flags(scope)).toBe("EKhx");
  expect([...(enabled[0]?.flags ?? "")].sort().join("")).toBe("EKhx");
});

test("flags that suffice are left as they are", async () => {
  await using scope = await testScope();
  await scope.client.configSet(FLAGS, "KEA");
  await using watch = await watchCommands(scope.url);
  const queue = await scope.queue({ embedder: new FakeEmbedder(), flushIntervalMs: 0 });
  const enabled = heard(queue, "notifications:enabled");
  await (await queue.enqueue("doc:0", "one")).embedding();
  await until(() => enabled.length === 1, { what: "the event" });
  await watch.settled();
  const sets = watch.commands.filter(({ args }) => args[0]?.toUpperCase() === "SET");
  expect(sets).toEqual([]);
});

test("ten queues that begin to wait together leave every flag", async () => {
  await using scope = await testScope();
  await scope.client.configSet(FLAGS, "Exg");
  await scope.worker({ embedder: new FakeEmbedder(), flushIntervalMs: 0 });
  const queues = await Promise.all(Array.from({ length: 10 }, () => scope.queue()));
  const vectors = queues.map(async (queue, i) =>
    (await queue.enqueue(`doc:${i}`, `text ${i}`)).embedding(BY_EVENT),
  );
  await Promise.all(vectors);
  await until(async () => (await flags(scope)) === "EKghx", { what: "all flags" });
});

test("a Redis that restarted and forgot its flags is set right again", async () => {
  await using scope = await testScope({ args: ["--appendonly", "yes", "--appendfsync", "always"] });
  const embedder = new FakeEmbedder();
  embedder.hold();
  const queue = await scope.queue({ embedder, flushIntervalMs: 0 });
  const unavailable = heard(queue, "notifications:unavailable");
  const enabled = heard(queue, "notifications:enabled");
  const ticket = await queue.enqueue("doc:0", "one");
  const early = ticket.embedding(BY_EVENT);
  await untilHeard(scope, 1);
  await until(() => enabled.length === 1, { what: "the flags" });

  await scope.server.restart();
  await until(() => enabled.length === 2, { what: "the flags again", timeoutMs: 10_000 });
  await untilHeard(scope, 1);
  expect(await flags(scope)).toBe("Kh");
  embedder.release();
  expect(await early).toEqual(vectorOf("one", 4));
  const late = await queue.enqueue("doc:1", "two");
  expect(await late.embedding(BY_EVENT)).toEqual(vectorOf("two", 4));
  expect(unavailable).toEqual([]);
}, 30_000);

test("with `assume` the flags are relied on and never touched", async () => {
  await using scope = await testScope();
  await scope.client.configSet(FLAGS, "Kh");
  await using watch = await watchCommands(scope.url);
  const { vector } = await waitOnce(scope, "assume", ["doc:0"]);
  expect(vector).toEqual(vectorOf("one", 4));
  await watch.settled();
  expect(watch.commands.filter(({ command }) => command === "CONFIG")).toEqual([]);
});

test("with `off` nothing is subscribed to and waits look on a timer", async () => {
  await using scope = await testScope();
  await using watch = await watchCommands(scope.url);
  const { vector } = await waitOnce(scope, "off", []);
  expect(vector).toEqual(vectorOf("one", 4));
  await watch.settled();
  expect(watch.commands.filter(({ command }) => command === "CONFIG")).toEqual([]);
  expect(await flags(scope)).toBe("");
});

test("where the user may hear no channel but the doorbell, waits look on a timer", async () => {
  await using scope = await testScope();
  await scope.client.aclSetUser("deaf", [
    ...["on", ">pw", "~*", "+@all", "resetchannels"],
    `&${scope.keys.doorbell}`,
  ]);
  const embedder = new FakeEmbedder();
  embedder.hold();
  const redis = `redis://deaf:pw@127.0.0.1:${scope.server.port}`;
  const queue = await scope.queue({ redis, embedder, flushIntervalMs: 0 });
  const refusals = heard(queue, "notifications:unavailable");
  const tickets = await queue.enqueueMany(
    Array.from({ length: 20 }, (_, i) => ({ key: `doc:${i}`, text: `text ${i}` })),
  );
  const vectors = Promise.all(tickets.map((ticket) => ticket.embedding(BY_EVENT)));
  await until(() => refusals.length > 0, { what: "the event" });
  embedder.release();
  expect(await vectors).toEqual(tickets.map((_, i) => vectorOf(`text ${i}`, 4)));
  // Once for the waits, and not for each of them or each end.
  expect(refusals.length).toBeLessThanOrEqual(2);
});

test("where the user may hear nothing, the start fails with a code", async () => {
  await using scope = await testScope();
  await scope.client.aclSetUser("mute", ["on", ">pw", "~*", "+@all", "resetchannels"]);
  const queue = scope.newQueue({ redis: `redis://mute:pw@127.0.0.1:${scope.server.port}` });
  await expect(queue.start()).rejects.toMatchObject({ code: "ERR_REDIS_REPLY" });
});

async function waitOnce(scope: Scope, notifications: "assume" | "off", expectHeard: string[]) {
  const embedder = new FakeEmbedder();
  embedder.hold();
  const queue = await scope.queue({ embedder, notifications, flushIntervalMs: 0 });
  const unavailable = heard(queue, "notifications:unavailable");
  const ticket = await queue.enqueue("doc:0", "one");
  const vector = ticket.embedding(BY_EVENT);
  await until(() => embedder.active === 1, { what: "the call" });
  await until(async () => (await heardKeys(scope)).join() === expectHeard.join(), {
    what: "the channels",
  });
  embedder.release();
  const result = { vector: await vector };
  expect(unavailable).toEqual([]);
  return result;
}
