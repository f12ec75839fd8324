// `embedq backfill`, `embedq reembed` and `embedq purge`.

import { expect, test } from "bun:test";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { items, type Scope, testScope } from "../helpers/scope.ts";
import { cli } from "./run.ts";

const at = (scope: Scope) => ["--redis", scope.url, "--name", scope.name];

async function hashes(scope: Scope, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await scope.client.hSet(`doc:${i}`, { body: `text ${i}` });
}

test("backfill --wait gives all hashes their vectors; reembed then finds nothing to do", async () => {
  await using scope = await testScope();
  await scope.worker({ embedder: new FakeEmbedder(), maxBatchSize: 8 });
  await hashes(scope, 30);
  const range = ["--match", "doc:*", "--text-field", "body", "--json"];
  const backfill = await cli(["backfill", ...at(scope), ...range, "--wait", "--page-size", "10"]);
  expect(backfill.code).toBe(0);
  expect(backfill.json).toMatchObject({ done: true, enqueued: 30, settled: true, dead: 0 });
  expect(await scope.vector("doc:29")).toBeDefined();
  const reembed = await cli(["reembed", ...at(scope), ...range]);
  expect(reembed.json).toMatchObject({ done: true, enqueued: 0, unchanged: 30 });
});

test("a walk that finds nothing says what may be mistyped", async () => {
  await using scope = await testScope();
  await scope.queue();
  await hashes(scope, 2);
  const call = ["backfill", ...at(scope), "--text-field", "bdoy", "--match"];
  const [field, match] = [await cli([...call, "doc:*"]), await cli([...call, "dco:*"])];
  expect(field.stderr).toContain("is bdoy the field of the texts?");
  expect(match.stderr).toContain("No hash matches dco:*");
});

test("a walk that fails prints the command to go on with", async () => {
  await using scope = await testScope();
  await scope.queue();
  await hashes(scope, 5);
  await scope.client.sendCommand("ACL SETUSER walker on >s3cret ~* &* +@all -scan".split(" "));
  const url = scope.url.replace("redis://", "redis://walker:s3cret@");
  const range = ["--match", "doc:*", "--text-field", "the body"];
  const { code, stderr } = await cli(["backfill", "--redis", url, "--name", scope.name, ...range]);
  expect(code).toBe(1);
  expect(stderr).toContain("--match 'doc:*' --text-field 'the body' --cursor ");
  expect(stderr).not.toContain("s3cret");
});

test("what a walk needs is asked for", async () => {
  const noMatch = await cli(["backfill"]);
  const noField = await cli(["reembed", "--match", "doc:*"]);
  expect(noMatch.stderr).toContain("--match 'doc:*'");
  expect(noField.stderr).toContain("Say --text-field");
  expect([noMatch.code, noField.code]).toEqual([2, 2]);
});

test("purge asks nobody where nobody is, and takes all away with --yes, the dead letters on demand", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder().always((texts) => texts.map(() => new Error("bad text")));
  const worker = await scope.worker({ embedder, maxAttempts: 1, flushIntervalMs: 1 });
  const queue = await scope.queue();
  await (await queue.enqueue("dead:1", "x")).outcome();
  await worker.stop();
  await queue.enqueueMany(items(20));
  const refused = await cli(["purge", ...at(scope)]);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain("--yes");
  expect(await queue.pendingCount()).toBe(20);
  const purged = await cli(["purge", ...at(scope), "--yes"]);
  expect(purged.stdout).toBe("20 texts removed\n");
  expect((await queue.stats()).dead).toBe(1);
  const also = await cli(["purge", ...at(scope), "--yes", "--dead", "--json"]);
  expect(also.json).toEqual({ removed: 0, done: true, deadRemoved: 1 });
  expect((await queue.stats()).dead).toBe(0);
});
