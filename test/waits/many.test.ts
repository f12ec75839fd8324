// Thousands of waits at once: one connection hears for all of them, and whatever fails on the way,
// each ends with its own value.

import { expect, test } from "bun:test";
import type { Ticket } from "../../src/index.ts";
import { FakeEmbedder, vectorOf } from "../helpers/embedder.ts";
import { heard, items, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";
import { heardKeys, killSubscribers, subscribers, untilHeard } from "./pubsub.ts";

const COUNT = 5000;
const TEXTS = items(COUNT);
const OWN_VECTORS = TEXTS.map(({ text }) => vectorOf(text, 4));

test("5,000 waits end with their own values over one subscriber", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.hold();
  const queue = await scope.queue({ embedder });
  const tickets = await queue.enqueueMany(TEXTS);
  const vectors = Promise.all(tickets.map((ticket) => ticket.embedding()));
  await untilHeard(scope, COUNT);
  expect(await subscribers(scope)).toBe(1);

  embedder.release();
  expect(await vectors).toEqual(OWN_VECTORS);
  await untilHeard(scope, 0);
  expect(await subscribers(scope)).toBe(1);
}, 30_000);

test("5,000 waits end without notifications, which one event reports", async () => {
  await using scope = await testScope();
  await scope.client.aclSetUser("plain", ["on", ">pw", "~*", "&*", "+@all", "-config"]);
  const embedder = new FakeEmbedder();
  embedder.hold();
  const redis = `redis://plain:pw@127.0.0.1:${scope.server.port}`;
  const queue = await scope.queue({ redis, embedder });
  const refusals = heard(queue, "notifications:unavailable");

  const tickets = await queue.enqueueMany(TEXTS);
  const vectors = Promise.all(tickets.map((ticket) => ticket.embedding()));
  await until(() => refusals.length > 0, { what: "the event" });
  embedder.release();
  expect(await vectors).toEqual(OWN_VECTORS);
  expect(refusals.map(({ error }) => error.message)).toEqual([expect.stringContaining("NOPERM")]);
  await untilHeard(scope, 0);
}, 30_000);

test("5,000 waits end although their subscriber is killed again and again", async () => {
  await using scope = await testScope();
  const queue = await scope.queue({ embedder: new FakeEmbedder(), concurrency: 1 });
  const lost = heard(queue, "connection:lost");
  await queue.pause();
  const tickets = await queue.enqueueMany(TEXTS);
  let ended = 0;
  const vectors = tickets.map((ticket) => ticket.embedding().finally(() => ended++));

  // First while the channels are being subscribed to, then while the vectors arrive.
  let kills = 0;
  for (const share of [0.1, 0.4, 0.7]) {
    const what = `the share ${share} of the channels`;
    await until(async () => (await heardKeys(scope)).length >= COUNT * share, { what, everyMs: 0 });
    kills += await killSubscribers(scope);
  }
  await queue.resume();
  for (const share of [0.1, 0.3, 0.5, 0.7, 0.9]) {
    const what = `the share ${share} of the vectors`;
    await until(() => ended >= COUNT * share, { what, everyMs: 0 });
    kills += await killSubscribers(scope);
  }
  expect(await Promise.all(vectors)).toEqual(OWN_VECTORS);
  expect(kills).toBeGreaterThan(3);
  expect(lost.map(({ role }) => role)).not.toContain("commands");
  await untilHeard(scope, 0);
  expect(await subscribers(scope)).toBe(1);
}, 40_000);

test("a thousand waits for one ticket share its channel", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.hold();
  const queue = await scope.queue({ embedder, flushIntervalMs: 0 });
  const ticket: Ticket = await queue.enqueue("doc:0", "one");
  const vectors = Promise.all(Array.from({ length: 1000 }, () => ticket.embedding()));
  await untilHeard(scope, 1);
  embedder.release();
  expect(new Set((await vectors).map(String))).toEqual(new Set([String(vectorOf("one", 4))]));
  await untilHeard(scope, 0);
});
