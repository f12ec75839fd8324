// A set-up that is as it should be: everything is looked at, and all of it is ok.

import { expect, test } from "bun:test";
import { createClient } from "redis";
import { diagnose } from "../../src/index.ts";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { watchCommands } from "../helpers/monitor.ts";
import { failure, items, testScope } from "../helpers/scope.ts";
import { diagnoseScope, faults, of, WELL_SET_UP } from "./findings.ts";

test("a healthy set-up is ok in every check, with its worker at work", async () => {
  await using scope = await testScope({ args: WELL_SET_UP });
  const embedder = new FakeEmbedder();
  await scope.worker({ embedder });
  const queue = await scope.queue();
  await queue.enqueueMany(items(10));
  await queue.flushAndWait();
  const diagnosis = await diagnoseScope(scope, { embedder });
  expect(faults(diagnosis)).toEqual([]);
  expect(diagnosis.isHealthy).toBe(true);
  expect([...new Set(diagnosis.findings.map(({ check }) => check))]).toEqual([
    "connection",
    "version",
    "role",
    "persistence",
    "eviction",
    "memory",
    "clock",
    "rights",
    "notifications",
    "settings",
    "group",
    "orphans",
    "work",
    "dead-letters",
    "provider",
  ]);
  expect(embedder.calls.at(-1)).toEqual(["hello"]);
});

test("texts in every state are no orphans: waiting, parked, held, and replaced while held", async () => {
  await using scope = await testScope({ args: WELL_SET_UP });
  const queue = await scope.queue({ model: "fake-1", dimensions: 4 });
  await queue.enqueueMany(items(4));
  const [first] = await scope.abandon(2);
  await scope.client.xClaim(scope.keys.pending, "embedders", "parked", 0, [first ?? ""]);
  // Its old entry stays with the worker, beside the new one.
  await queue.enqueue("doc:1", "a newer text");
  expect(await scope.stream()).toHaveLength(5);
  expect(of(await diagnoseScope(scope), "orphans")).toMatchObject([{ level: "ok" }]);
  await scope.client.del([scope.keys.pending, scope.keys.dedup]);
});

test("a diagnosis writes nothing: not a key, not a flag, not a consumer", async () => {
  await using scope = await testScope();
  const queue = await scope.queue({ model: "fake-1", dimensions: 4 });
  await queue.enqueueMany(items(3));
  const dump = async () => {
    const names = (await scope.client.keys("*")).toSorted();
    return Promise.all(names.map(async (name) => [name, await scope.client.dump(name)]));
  };
  const before = await dump();
  await using seen = await watchCommands(scope.url);
  await diagnoseScope(scope);
  await seen.settled();
  expect(await dump()).toEqual(before);
  expect(await scope.client.configGet("notify-keyspace-events")).toEqual({
    "notify-keyspace-events": "",
  });
  const words = seen.commands.map(({ command, args }) => `${command} ${args[0]}`);
  expect(words.filter((word) => /^CONFIG SET|^FLUSH|^SCRIPT/i.test(word))).toEqual([]);
  await scope.client.del([scope.keys.pending, scope.keys.dedup]);
});

test("a client that is handed in is used, and stays open", async () => {
  await using scope = await testScope({ args: WELL_SET_UP });
  const client = createClient({ url: scope.url });
  await client.connect();
  const { isHealthy } = await diagnose({ redis: client, name: scope.name });
  expect(isHealthy).toBe(true);
  expect(await client.ping()).toBe("PONG");
  await client.disconnect();
});

test("options that are none are refused before anything is connected", async () => {
  const bad = (options: object) =>
    failure(diagnose({ redis: "redis://127.0.0.1:1", commandTimeoutMs: 50, ...options }));
  expect(await bad({ fixes: true })).toMatchObject({ code: "ERR_OPTION_INVALID" });
  expect(await bad({ fix: "yes" })).toMatchObject({ code: "ERR_OPTION_INVALID" });
  expect(await bad({ model: "m" })).toMatchObject({ code: "ERR_OPTION_INVALID" });
  expect(await bad({ redis: "http://x" })).toMatchObject({ code: "ERR_OPTION_INVALID" });
});

test("a raised signal ends the diagnosis with its reason", async () => {
  await using scope = await testScope();
  const reason = new Error("enough");
  const stop = new AbortController();
  const embedder = new FakeEmbedder();
  embedder.always(() => {
    stop.abort(reason);
    return new Promise(() => {});
  });
  expect(await failure(diagnoseScope(scope, { embedder, signal: stop.signal }))).toBe(reason);
  expect(await failure(diagnoseScope(scope, { signal: AbortSignal.abort(reason) }))).toBe(reason);
});
