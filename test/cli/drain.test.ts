// `embedq drain`: ends when nothing is left, and its exit code says what became of it.

import { expect, test } from "bun:test";
import { hashing } from "../../src/providers/index.ts";
import { items, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";
import { API_KEY, openAIError, startOpenAI } from "../providers/servers/openai.ts";
import { cli, startCli } from "./run.ts";

const env = { EMBEDQ_API_KEY: API_KEY };

function drain(scope: { url: string; name: string }, ...args: string[]): string[] {
  return ["drain", "--redis", scope.url, "--name", scope.name, ...args];
}

const HASHING = ["--provider", "hashing", "--dimensions", "16"];

function loopback(url: string): string[] {
  const model = ["--model", "text-embedding-3-small", "--dimensions", "1536"];
  return ["--provider", "openai-compatible", "--base-url", `${url}/v1`, ...model];
}

test("all is embedded, the last batch too: exit code 0 and an account of it", async () => {
  await using scope = await testScope();
  await (await scope.queue({ flushIntervalMs: 3_600_000 })).enqueueMany(items(120));
  const { code, json } = await cli(drain(scope, ...HASHING, "--json"));
  expect(code).toBe(0);
  expect(json).toMatchObject({ texts: 120, calls: 3, dead: 0 });
  expect((json as { batchFill: number }).batchFill).toBeCloseTo(0.8);
  await scope.expectEmpty();
  const again = await cli(drain(scope, ...HASHING));
  expect(again.stdout).toBe("nothing left to do here\n");
  expect(again.code).toBe(0);
});

test("a queue that does not exist is a mistyped name", async () => {
  await using scope = await testScope();
  const { code, stderr } = await cli(drain(scope, ...HASHING));
  expect(code).toBe(1);
  expect(stderr).toContain("is the name right (--name)?");
});

test("texts that are given up make exit code 4", async () => {
  await using scope = await testScope();
  await using server = await startOpenAI({ poison: "poison" });
  const queue = await scope.queue();
  await queue.enqueueMany([...items(5), { key: "bad:1", text: "poison" }]);
  const { code, stderr, stdout } = await cli(drain(scope, ...loopback(server.url)), { env });
  expect(code).toBe(4);
  expect(stderr).toContain("bad:1 given up: ");
  expect(stderr).toContain("1 text given up meanwhile; embedq dead ls shows why");
  expect(stdout).toMatch(/^nothing is left: 5 texts .*, 1 given up, in /);
});

test("it waits for what another worker holds", async () => {
  await using scope = await testScope();
  const embedder = hashing({ dimensions: 16 });
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  let held = 0;
  const worker = {
    model: embedder.model,
    dimensions: 16,
    embed: async (texts: readonly string[]) => {
      held += texts.length;
      await gate;
      return embedder.embed(texts);
    },
  };
  const queue = await scope.queue();
  await queue.enqueueMany(items(7));
  await scope.worker({ embedder: worker });
  await until(() => held === 7, { what: "the other worker to hold all" });
  const child = startCli(drain(scope, ...HASHING));
  const workers = async () => (await queue.stats()).workers.length;
  await until(async () => (await workers()) === 2, { what: "the drain", timeoutMs: 20_000 });
  expect(child.exitCode).toBeNull();
  open();
  expect(await child.exited).toBe(0);
  await scope.untilEmpty();
});

test("a paused queue is said, and where the time runs out it is the reason", async () => {
  await using scope = await testScope();
  const queue = await scope.queue();
  await queue.enqueueMany(items(3));
  await queue.pause();
  const { code, stderr } = await cli(drain(scope, ...HASHING, "--timeout", "300ms"));
  expect(code).toBe(1);
  expect(stderr).toContain("the queue is paused, nothing is claimed; embedq resume");
  expect(stderr).toContain("3 texts are left after 300 ms: the queue is paused");
});

test("a wrong key ends it with the reason, and with --keep-trying does not", async () => {
  await using scope = await testScope();
  await using server = await startOpenAI();
  const queue = await scope.queue();
  await queue.enqueueMany(items(3));
  const wrong = { EMBEDQ_API_KEY: "sk-test-wrong-0123456789" };
  const { code, stderr } = await cli(drain(scope, ...loopback(server.url)), { env: wrong });
  expect(code).toBe(1);
  expect(stderr).toContain("The provider refuses this worker, 3 texts are left: ");
  expect(stderr).not.toContain("wrong-0123456789");
  expect((await queue.stats()).pending).toBe(3);

  server.next(openAIError(401, "Incorrect API key provided"));
  const patient = await cli(drain(scope, ...loopback(server.url), "--keep-trying"), { env });
  expect(patient.code).toBe(0);
  expect(patient.stderr).toContain("this worker is at fault");
});

test("a rate limit is said and waited for", async () => {
  await using scope = await testScope();
  await using server = await startOpenAI();
  const limit = { type: "requests", code: "rate_limit_exceeded" };
  server.next(openAIError(429, "Rate limit reached", limit, { "retry-after": "1" }));
  await (await scope.queue()).enqueueMany(items(3));
  const { code, stderr } = await cli(drain(scope, ...loopback(server.url)), { env });
  expect(code).toBe(0);
  expect(stderr).toContain("all workers make no calls for 1 s: ");
});

test("Ctrl-C hands back what is in flight", async () => {
  await using scope = await testScope();
  await using server = await startOpenAI();
  server.always("hang");
  const queue = await scope.queue();
  await queue.enqueueMany(items(3));
  const args = drain(scope, ...loopback(server.url), "--stop-timeout", "50ms");
  const child = startCli(args, { env });
  await until(() => server.received.length > 0, { what: "a call", timeoutMs: 20_000 });
  child.kill("SIGINT");
  expect(await child.exited).toBe(130);
  const { pending, inFlight } = await queue.stats();
  expect({ pending, inFlight }).toEqual({ pending: 3, inFlight: 0 });
});
