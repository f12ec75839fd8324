// A user that may do less than embedq needs: what lacks is named, and the line in the advice is enough.

import { expect, test } from "bun:test";
import type { Diagnosis } from "../../src/index.ts";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { failure, items, type Scope, testScope } from "../helpers/scope.ts";
import { diagnoseScope, of, urlAs, WELL_SET_UP } from "./findings.ts";

const PASSWORD = "secret-word";

async function user(scope: Scope, ...rules: readonly string[]): Promise<string> {
  await scope.client.aclSetUser("app", ["reset", "on", `>${PASSWORD}`, ...rules]);
  return urlAs(scope, "app", PASSWORD);
}

/** Runs the lines in the advice, as an administrator would. */
async function follow(scope: Scope, diagnosis: Diagnosis): Promise<void> {
  for (const { advice } of of(diagnosis, "rights")) {
    const [, line] = /run: `(ACL SETUSER .*?)`/.exec(advice ?? "") ?? [];
    if (line !== undefined) await scope.client.sendCommand(line.split(" "));
  }
}

test("a missing command, key and channel are named", async () => {
  await using scope = await testScope({ args: WELL_SET_UP });
  const { pending, dedup, retries, doorbell } = scope.keys;
  const keys = scope.keys.all.filter((key) => key !== retries).map((key) => `~${key}`);
  const redis = await user(scope, ...keys, "+@all", "-xadd", "-xinfo|consumers");
  const diagnosis = await diagnoseScope(scope, { redis });
  expect(diagnosis.isHealthy).toBe(false);
  const [finding] = of(diagnosis, "rights");
  expect(finding).toMatchObject({ level: "problem" });
  expect(finding?.found).toContain("the commands xadd, xinfo|consumers;");
  expect(finding?.found).toContain(`the key ${retries};`);
  expect(finding?.found).toContain(`the channel ${doorbell}`);
  expect(finding?.found).not.toContain(dedup);
  expect(finding?.found).not.toContain(pending);
});

test("who follows the advice, from no rights on, ends with a worker that works", async () => {
  await using scope = await testScope({ args: WELL_SET_UP });
  const redis = await user(scope, "+client", "+select", "+ping");
  const embedder = new FakeEmbedder();
  const refused = await failure(scope.newQueue({ redis, embedder }).start());
  expect(refused).toMatchObject({ code: "ERR_REDIS_REPLY" });
  let diagnosis = await diagnoseScope(scope, { redis, embedder, destination: "doc:0" });
  for (let round = 0; round < 4; round++) {
    await follow(scope, diagnosis);
    diagnosis = await diagnoseScope(scope, { redis, embedder, destination: "doc:0" });
  }
  expect(of(diagnosis, "rights")).toMatchObject([{ level: "ok" }]);
  const queue = await scope.queue({ redis, embedder });
  await queue.enqueueMany(items(5));
  expect(await queue.flushAndWait()).toMatchObject({ remaining: 0 });
  expect(await scope.vector("doc:4")).toHaveLength(4);
});

test("what only workers need is a warning for who produces, and a problem for a worker", async () => {
  await using scope = await testScope({ args: WELL_SET_UP });
  const redis = await user(scope, "~*", "&*", "+@all", "-xreadgroup", "-scan");
  const producer = of(await diagnoseScope(scope, { redis }), "rights");
  expect(producer.map(({ level }) => level)).toEqual(["warning", "note"]);
  expect(producer[0]?.found).toContain("xreadgroup: enough to produce");
  expect(producer[1]?.found).toContain("scan: backfill and reembed");
  const worker = await diagnoseScope(scope, { redis, embedder: new FakeEmbedder() });
  expect(of(worker, "rights")[0]).toMatchObject({ level: "problem" });
});

test("a destination that may not be written to is found, and is not changed by the look", async () => {
  await using scope = await testScope({ args: WELL_SET_UP });
  await scope.client.hSet("doc:1", { title: "kept" });
  const redis = await user(scope, `~{${scope.name}}:*`, "%R~doc:*", "&*", "+@all");
  const [finding] = of(await diagnoseScope(scope, { redis, destination: "doc:1" }), "rights");
  expect(finding).toMatchObject({ level: "problem" });
  expect(finding?.found).toContain("the key doc:1");
  expect(finding?.advice).toContain("~doc:*");
  const own = await diagnoseScope(scope, { destination: "doc:1" });
  expect(of(own, "rights")).toMatchObject([{ level: "ok" }]);
  expect({ ...(await scope.client.hGetAll("doc:1")) }).toEqual({ title: "kept" });
});
