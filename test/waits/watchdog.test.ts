// A subscriber whose network died without a word: it is noticed, connected anew, and what it
// missed is looked up. Takes the watchdog's 15 + 5 seconds.

import { expect, test } from "bun:test";
import { createClient } from "redis";
import { FakeEmbedder, vectorOf } from "../helpers/embedder.ts";
import { startProxy } from "../helpers/proxy.ts";
import { heard, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";
import { heardKeys, untilHeard } from "./pubsub.ts";

test("a half-open subscriber is connected anew, and what it missed is looked up", async () => {
  await using scope = await testScope();
  await using proxy = await startProxy(scope.server.port);
  const client = createClient({ url: scope.url });
  client.on("error", () => {});
  await client.connect();
  // Only the subscriber goes through the proxy.
  client.duplicate = (() => createClient({ url: proxy.url })) as typeof client.duplicate;
  const queue = await scope.queue({ redis: client });
  const lost = heard(queue, "connection:lost");
  const restored = heard(queue, "connection:restored");
  const embedder = new FakeEmbedder();

  const early = await queue.enqueue("doc:early", "one");
  const first = early.embedding();
  await untilHeard(scope, 1);
  proxy.stall();
  await scope.worker({ embedder, flushIntervalMs: 3_600_000 });
  await scope.untilEmpty();
  const late = await queue.enqueue("doc:late", "two");
  const second = late.embedding();

  await until(() => lost.length > 0, { what: "the watchdog", timeoutMs: 25_000 });
  expect(lost.map(({ role }) => role)).toEqual(["subscriber"]);
  proxy.flow();
  // Long before the timer that looks every 30 seconds.
  await until(() => restored.length > 0, { what: "the event" });
  expect(await first).toEqual(vectorOf("one", 4));
  await until(async () => (await heardKeys(scope)).join() === "doc:late", { what: "the channel" });
  await queue.flushNow();
  expect(await second).toEqual(vectorOf("two", 4));
  await queue.stop();
  await client.disconnect();
}, 40_000);
