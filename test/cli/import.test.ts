// `embedq import`: a change-over from the Python module by the command line alone.

import { expect, test } from "bun:test";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { type Scope, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";
import { DONE_PREFIX, EMPTY, listenForDone, memberOf, PythonModule } from "../takeover/module.ts";
import { cli, startCli } from "./run.ts";

const args = (scope: Scope, ...more: string[]) => [
  "import",
  "--redis",
  scope.url,
  "--name",
  scope.name,
  ...more,
];

test("once: what was taken, what is left, what is malformed, in words and as data", async () => {
  await using scope = await testScope();
  await scope.queue();
  const module = new PythonModule(scope.client);
  await module.enqueue("msg:0", "held");
  const held = await module.claim(1);
  for (let i = 1; i < 4; i++) await module.enqueue(`msg:${i}`, `text ${i}`);
  await scope.client.zAdd("embed_queue:pending", { score: 1, value: "a secret, and no JSON" });

  const first = await cli(args(scope));
  expect(first.stdout).toBe("3 texts enqueued, 0 known already, 0 replaced by newer ones\n");
  expect(first.stderr.split("\n")).toEqual([
    "embedq: 1 text in the hands of the module's workers (see --in-flight-after)",
    "embedq: 1 malformed member left where they are",
    "  pending: it must be JSON in UTF-8",
    "",
  ]);
  expect(first.code).toBe(4);

  const second = await cli(args(scope, "--in-flight-after", "0", "--json"));
  expect(second.json).toEqual({
    enqueued: 1,
    known: 0,
    superseded: 0,
    malformed: 1,
    problems: [{ where: "pending", reason: "it must be JSON in UTF-8" }],
    left: 0,
    done: true,
  });
  await module.release(held);
});

test("other keys of the module, and nothing that stands in the way: exit code 0", async () => {
  await using scope = await testScope();
  await scope.queue();
  await scope.client.zAdd("old:pending", { score: 1, value: memberOf("msg:1", "text") });
  expect((await cli(args(scope, "--prefix", "old"))).code).toBe(0);
  expect(await scope.client.exists("old:pending")).toBe(0);
  const wrong = await cli(args(scope, "--prefix", "{old}"));
  expect(wrong).toMatchObject({ code: 2, stdout: "" });
  expect(wrong.stderr).toContain("prefix");
});

test("embedq work tells the waiters of what it has embedded", async () => {
  await using scope = await testScope();
  await using done = await listenForDone(scope.client);
  const queue = ["--redis", scope.url, "--name", scope.name];
  const provider = ["--provider", "hashing", "--dimensions", "8"];
  const channel = ["--done-channel-prefix", DONE_PREFIX];
  const child = startCli(["work", ...queue, ...provider, ...channel, "--flush-interval", "0"]);
  const producer = await scope.queue();
  await producer.enqueue("msg:1", "text");
  await until(() => done.keys.length > 0, { what: "the message", timeoutMs: 20_000 });
  expect(await scope.vector("msg:1")).toHaveLength(8);
  child.kill("SIGTERM");
  expect(await child.exited).toBe(0);
});

test("--watch takes what comes until it is interrupted, and tells the waiters of what needs no worker", async () => {
  await using scope = await testScope();
  await using done = await listenForDone(scope.client);
  const queue = await scope.queue({ embedder: new FakeEmbedder() });
  const module = new PythonModule(scope.client);
  const child = startCli(
    args(scope, "--watch", "--interval", "10ms", "--done-channel-prefix", DONE_PREFIX, "--json"),
  );
  const stdout = new Response(child.stdout).text();
  for (let i = 0; i < 3; i++) {
    await module.enqueue(`msg:${i}`, `text ${i}`);
    const isTaken = async () => (await queue.stats()).pending === i + 1;
    await until(isTaken, { what: `text ${i} to be taken`, timeoutMs: 20_000 });
  }
  await scope.client.zAdd("embed_queue:pending", { score: 1, value: memberOf("msg:blank", " ") });
  await until(() => done.keys.length > 0, { what: "the message for the blank text" });
  expect(done.keys).toEqual(["msg:blank"]);
  await until(async () => Bun.deepEquals(await module.state(), EMPTY), { what: "an empty module" });
  child.kill("SIGINT");
  expect(await child.exited).toBe(0);
  expect(JSON.parse(await stdout)).toMatchObject({
    enqueued: 4,
    left: 0,
    malformed: 0,
    done: true,
  });
  await queue.flushAndWait();
});
