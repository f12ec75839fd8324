// What no hset event tells is found when the truth is read again: on the timer, and whenever the
// subscriber is connected anew.

import { expect, test } from "bun:test";
import { FakeEmbedder, vectorOf } from "../helpers/embedder.ts";
import { heard, type Scope, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";
import { killSubscribers, untilHeard } from "./pubsub.ts";

type Arrival = (scope: Scope) => Promise<unknown>;

const ARRIVALS: Record<string, Arrival> = {
  COPY: ({ client }) => client.sendCommand(["COPY", "other", "doc:0", "REPLACE"]),
  RENAME: ({ client }) => client.rename("other", "doc:0"),
  async RESTORE({ client }) {
    const dump = (await client.sendCommand(["DUMP", "other"], { returnBuffers: true })) as unknown;
    return client.sendCommand(["RESTORE", "doc:0", "0", dump as Buffer]);
  },
};

for (const [name, arrive] of Object.entries(ARRIVALS)) {
  test(`a destination that arrives by ${name} ends the wait as superseded`, async () => {
    await using scope = await testScope();
    const queue = await scope.queue({ notifications: "off" });
    const ticket = await queue.enqueue("doc:0", "never embedded");
    const newer = await queue.enqueue("other", "newer");
    await finishByHand(scope, "other", newer.version);
    const outcome = ticket.outcome();
    await queue.stats();
    await arrive(scope);
    expect(await outcome).toEqual({
      status: "embedded",
      key: "doc:0",
      version: newer.version,
      superseded: true,
      embedding: vectorOf("newer", 4),
    });
  });
}

test("a destination that arrives by RENAME is found when the subscriber is connected anew", async () => {
  await using scope = await testScope();
  const queue = await scope.queue();
  const ticket = await queue.enqueue("doc:0", "never embedded");
  const newer = await queue.enqueue("other", "newer");
  await finishByHand(scope, "other", newer.version);
  const enabled = heard(queue, "notifications:enabled");
  const outcome = ticket.outcome();
  await until(() => enabled.length > 0, { what: "the flags" });
  await untilHeard(scope, 1);
  // The looks that these two bring about are over: from here on only the reconnect makes one.
  for (let i = 0; i < 5; i++) await queue.stats();
  await scope.client.rename("other", "doc:0");
  await killSubscribers(scope);
  expect(await outcome).toMatchObject({ status: "embedded", superseded: true });
});

test("a destination that was deleted before anybody looked is gone", async () => {
  await using scope = await testScope();
  const queue = await scope.queue({ embedder: new FakeEmbedder(), flushIntervalMs: 0 });
  const ticket = await queue.enqueue("doc:0", "one");
  await until(() => scope.client.exists("doc:0"), { what: "the vector" });
  await scope.untilEmpty();
  await scope.client.del("doc:0");
  expect(await ticket.outcome()).toEqual({ status: "gone", key: "doc:0" });
  await expect(ticket.embedding()).rejects.toMatchObject({ code: "ERR_EMBEDDING_GONE" });
});

test("work that was lost without any event is gone at the recheck", async () => {
  await using scope = await testScope();
  scope.damagesData();
  const queue = await scope.queue();
  const ticket = await queue.enqueue("doc:0", "one");
  const outcome = ticket.outcome();
  await untilHeard(scope, 1);
  await scope.client.flushAll();
  await killSubscribers(scope);
  expect(await outcome).toEqual({ status: "gone", key: "doc:0" });
});

test("a destination that is deleted while its text is outstanding is waited for", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder, flushIntervalMs: 0 });
  await (await queue.enqueue("doc:0", "one")).embedding();
  await scope.untilEmpty();
  embedder.hold();
  const ticket = await queue.enqueue("doc:0", "two");
  let isOver = false;
  const vector = ticket.embedding().finally(() => {
    isOver = true;
  });
  await untilHeard(scope, 1);
  await scope.client.del("doc:0");
  await killSubscribers(scope);
  await untilHeard(scope, 1);
  await queue.stats();
  expect(isOver).toBe(false);
  embedder.release();
  expect(await vector).toEqual(vectorOf("two", 4));
});

test("a destination that became another type is gone, not an endless wait", async () => {
  await using scope = await testScope();
  scope.damagesData();
  const queue = await scope.queue({ embedder: new FakeEmbedder(), flushIntervalMs: 0 });
  await scope.client.set("doc:0", "a string of somebody");
  const ticket = await queue.enqueue("doc:0", "one");
  expect(await ticket.outcome()).toEqual({ status: "gone", key: "doc:0" });
  expect(await scope.client.get("doc:0")).toBe("a string of somebody");
});

/** What a worker would leave for a text, without the queue's knowledge. */
async function finishByHand({ client }: Scope, key: string, version: number): Promise<void> {
  const embedding = Buffer.from(vectorOf("newer", 4).buffer);
  const fields = ["embedding_status", "embedded", "embedding_version", String(version)];
  await client.sendCommand(["HSET", key, ...fields, "embedding", embedding]);
}
