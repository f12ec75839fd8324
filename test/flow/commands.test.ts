// Few trips: what goes over the wire for full batches, counted.

import { expect, test } from "bun:test";
import { queueKeys } from "../../src/redis/keys.ts";
import type { Link } from "../../src/redis/link.ts";
import { runClaim } from "../../src/redis/scripts/claim.ts";
import { destinationFields, writeDestinations } from "../../src/redis/scripts/destination.ts";
import type { Script } from "../../src/redis/scripts/script.ts";
import { runSettle } from "../../src/redis/scripts/settle.ts";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { watchCommands } from "../helpers/monitor.ts";
import { heard, items, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";

/** The script that a function runs. */
async function scriptOf(run: (link: Link) => Promise<unknown>): Promise<Script> {
  let used: Script | undefined;
  const catching = (script: Script) => {
    used = script;
    return Promise.reject(new Error("caught"));
  };
  const link: Link = {
    keys: queueKeys("any"),
    run: catching,
    runOn: catching,
    send: () => Promise.reject(new Error("a plain command")),
  };
  await run(link).catch(() => {});
  if (used === undefined) throw new Error("no script was run");
  return used;
}

test("10 full batches of 50 take 10 claims, 10 writes and 10 settles, and nothing for one item", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const producer = await scope.queue({ model: "fake-1", dimensions: 4 });
  const worker = await scope.worker({ embedder, concurrency: 10 });
  const drained = heard(worker, "batch:drained");
  // One batch first, so that Redis knows the scripts.
  await producer.enqueueMany(items(50, "warm"));
  await scope.untilEmpty();
  await until(() => drained.length === 1, { what: "the first batch" });

  const names = new Map<string, string>();
  const scripts = {
    claim: (link: Link) =>
      runClaim(link, {
        worker: "w",
        max: 1,
        isAlone: true,
        reclaims: true,
        space: "",
        usage: undefined,
      }),
    write: (link: Link) => writeDestinations(link, destinationFields("embedding"), "create", []),
    settle: (link: Link) => runSettle(link, "", []),
  };
  for (const [name, run] of Object.entries(scripts)) names.set((await scriptOf(run)).sha, name);

  await producer.pause();
  await producer.enqueueMany(items(500));
  await using seen = await watchCommands(scope.url);
  const own = String(await scope.client.sendCommand(["CLIENT", "INFO"]));
  const ownAddress = /addr=(\S+)/.exec(own)?.[1];
  await producer.resume();
  await until(() => drained.length === 11, { what: "ten more batches" });
  await seen.settled();

  const counts: Record<string, number> = {};
  let isResumed = false;
  for (const { command, args, client } of seen.commands) {
    if (client === ownAddress) continue;
    const name = (command === "EVALSHA" && names.get(args[0] ?? "")) || `${command} ${args[0]}`;
    // The first is the producer's resume.
    if (!isResumed && !["claim", "write", "settle"].includes(name)) isResumed = true;
    else counts[name] = (counts[name] ?? 0) + 1;
  }
  expect(isResumed).toBe(true);
  expect(Object.keys(counts).toSorted()).toEqual(["claim", "settle", "write"]);
  expect(counts).toMatchObject({ write: 10, settle: 10 });
  // One claim a batch, and looks for more where calls end: at most one for each batch and one more.
  expect(counts["claim"]).toBeGreaterThanOrEqual(10);
  expect(counts["claim"]).toBeLessThanOrEqual(22);
  expect(embedder.batchSizes).toEqual(Array.from({ length: 11 }, () => 50));
});

test("enqueueMany of 250 texts takes two commands, whatever they are", async () => {
  await using scope = await testScope();
  const producer = await scope.queue({ model: "fake-1", dimensions: 4 });
  await producer.enqueueMany(items(1, "warm"));
  await using seen = await watchCommands(scope.url);
  await producer.enqueueMany(items(250));
  await seen.settled();
  expect(seen.commands.map(({ command }) => command)).toEqual(["EVALSHA", "EVALSHA"]);
});

test("250 unchanged or blank texts take three and four commands", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  const queue = await scope.queue({ embedder });
  await queue.enqueueMany(items(250));
  await queue.flushAndWait();
  await queue.stop();
  const producer = await scope.queue();
  await producer.enqueue("warm", "");
  await producer.enqueue("warm", "");
  await using seen = await watchCommands(scope.url);
  await producer.enqueueMany(items(250));
  await producer.enqueueMany(items(250).map(({ key }) => ({ key, text: "" })));
  await seen.settled();
  expect(seen.commands.length).toBeLessThanOrEqual(7);
  await scope.expectEmpty();
});
