// `embedq work`: a worker of its own process, stopped in order, and what it says.

import { expect, test } from "bun:test";
import { items, type Scope, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";
import { API_KEY, openAIError, startOpenAI } from "../providers/servers/openai.ts";
import { cli, startCli } from "./run.ts";

const HASHING = ["--provider", "hashing", "--dimensions", "16"];

/** What a process has written so far, read while it runs. */
function reading(stream: ReadableStream<Uint8Array>): { readonly text: string } {
  const heard = { text: "" };
  void (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) heard.text += decoder.decode(chunk, { stream: true });
  })();
  return heard;
}

function startWork(scope: Scope, args: readonly string[], env: Record<string, string> = {}) {
  const queue = ["--redis", scope.url, "--name", scope.name];
  const child = startCli(["work", ...queue, ...args], { env });
  return { child, stdout: reading(child.stdout), stderr: reading(child.stderr) };
}

/** A provider on loopback, as the command line names it. */
function loopback(url: string): string[] {
  const model = ["--model", "text-embedding-3-small", "--dimensions", "1536"];
  return ["--provider", "openai-compatible", "--base-url", `${url}/v1`, ...model];
}

test("SIGTERM ends it in order: texts of calls in flight are handed back, exit code 0", async () => {
  await using scope = await testScope();
  await using server = await startOpenAI();
  server.always("hang");
  const queue = await scope.queue();
  await queue.enqueueMany(items(10));
  const args = [...loopback(server.url), "--stop-timeout", "50ms"];
  const { child, stderr } = startWork(scope, args, { EMBEDQ_API_KEY: API_KEY });
  await until(() => server.received.length > 0, { what: "a call", timeoutMs: 20_000 });
  child.kill("SIGTERM");
  expect(await child.exited).toBe(0);
  expect(stderr.text).toContain(`works on ${scope.name} at 127.0.0.1:`);
  expect(stderr.text).toContain("text-embedding-3-small, 1,536 dimensions");
  expect(stderr.text).toContain("10 handed back");
  expect(stderr.text).not.toContain(API_KEY);
  const { pending, inFlight } = await queue.stats();
  expect({ pending, inFlight }).toEqual({ pending: 10, inFlight: 0 });
});

test("a second signal ends it at once, whatever is in flight", async () => {
  await using scope = await testScope();
  await using server = await startOpenAI();
  server.always("hang");
  await (await scope.queue()).enqueueMany(items(2));
  scope.damagesData(); // A worker that ends at once leaves its name in the group.
  const args = [...loopback(server.url), "--stop-timeout", "10m"];
  const { child, stderr } = startWork(scope, args, { EMBEDQ_API_KEY: API_KEY });
  await until(() => server.received.length > 0, { what: "a call", timeoutMs: 20_000 });
  child.kill("SIGTERM");
  await until(() => stderr.text.includes("calls in flight get 10 min"), { what: "the first stop" });
  // One that follows at once is taken for the same, passed on twice.
  const isOver = () => {
    child.kill("SIGTERM");
    return child.exitCode !== null;
  };
  await until(isOver, { what: "the end", everyMs: 50 });
  expect(await child.exited).toBe(143);
});

test("it waits for a Redis that is not there yet, says so, and then works", async () => {
  await using scope = await testScope();
  const proxy = await scope.proxy();
  await proxy.refuse();
  const queue = await scope.queue();
  const ticket = await queue.enqueue("doc:1", "a text that waits");
  const args = ["work", "--redis", proxy.url, "--name", scope.name, ...HASHING];
  const child = startCli(args);
  const stderr = reading(child.stderr);
  await until(() => stderr.text.includes("Redis is away"), { what: "a word", timeoutMs: 20_000 });
  await proxy.accept();
  expect((await ticket.outcome({ timeoutMs: 20_000 })).status).toBe("embedded");
  child.kill("SIGTERM");
  expect(await child.exited).toBe(0);
  expect(stderr.text).toContain("Redis is back");
});

test("a signal ends it also while Redis is not there", async () => {
  const args = ["work", "--redis", "redis://me:s3cret@127.0.0.1:1", ...HASHING];
  const child = startCli(args);
  const stderr = reading(child.stderr);
  await until(() => stderr.text.includes("Redis is away"), { what: "a word", timeoutMs: 20_000 });
  child.kill("SIGTERM");
  expect(await child.exited).toBe(0);
  expect(stderr.text).toContain("stopped before Redis was there");
  expect(stderr.text).not.toContain("s3cret");
});

test("what hinders the start otherwise ends it at once, with a hint", async () => {
  await using scope = await testScope();
  await scope.worker({ embedder: () => Promise.resolve([]), model: "another", dimensions: 3 });
  const { code, stderr } = await cli([
    "work",
    "--redis",
    scope.url,
    "--name",
    scope.name,
    ...HASHING,
  ]);
  expect(code).toBe(1);
  expect(stderr).toContain("`model` is another, asked for embedq-hashing-1");
  expect(stderr).toContain("embedq config shows what is stored");
  expect(stderr).not.toContain("config set --");
  const own = ["--redis", scope.url, "--name", `${scope.name}-own`];
  const stored = await cli(["enqueue", ...own, "--key", "doc:1", "--text", "a text"]);
  const drained = await cli(["drain", ...own, ...HASHING]);
  expect([stored.code, drained.code]).toEqual([0, 0]);
  const hurried = await cli(["drain", ...own, ...HASHING, "--flush-interval", "2s"]);
  expect(hurried.stderr).toContain(
    `embedq config set --flush-interval 2s --name ${scope.name}-own`,
  );
  const none = await cli(["work", "--redis", scope.url]);
  expect(none.code).toBe(2);
  expect(none.stderr).toContain("Which provider?");
});

test("what repeats is counted, not said: dead letters of the same reason", async () => {
  await using scope = await testScope();
  await using server = await startOpenAI({ poison: "poison" });
  const queue = await scope.queue();
  const bad = items(12).map(({ key }) => ({ key, text: `poison of ${key}` }));
  await queue.enqueueMany([...items(12, "good"), ...bad]);
  const { child, stderr } = startWork(scope, loopback(server.url), { EMBEDQ_API_KEY: API_KEY });
  await until(async () => (await queue.stats()).pending === 0, {
    what: "the end",
    timeoutMs: 30_000,
  });
  child.kill("SIGTERM");
  expect(await child.exited).toBe(0);
  expect(stderr.text.match(/doc:\d+ given up: /g)).toHaveLength(2);
  expect(stderr.text).toContain("(and 10 more like it)");
  expect(stderr.text).toMatch(/stopped after .*: 12 texts .* 12 given up/);
});

test("--json prints every event as a line, errors as code and message, and no credentials", async () => {
  await using scope = await testScope();
  await using server = await startOpenAI();
  server.next(openAIError(401, `Incorrect API key provided: ${API_KEY}.`));
  const queue = await scope.queue();
  await queue.enqueueMany(items(3));
  const args = [...loopback(server.url), "--json"];
  const { child, stdout, stderr } = startWork(scope, args, { EMBEDQ_API_KEY: API_KEY });
  await until(async () => (await queue.stats()).pending === 0, {
    what: "the end",
    timeoutMs: 30_000,
  });
  child.kill("SIGTERM");
  expect(await child.exited).toBe(0);
  const lines = stdout.text.trim().split("\n");
  const events = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(events.every(({ time }) => !Number.isNaN(Date.parse(String(time))))).toBe(true);
  const names = events.map(({ event }) => event);
  for (const name of ["worker:started", "work:started", "worker:paused", "worker:resumed"]) {
    expect(names).toContain(name);
  }
  expect(names.at(-1)).toBe("work:stopped");
  const paused = events.find(({ event }) => event === "worker:paused");
  expect(paused?.["error"]).toMatchObject({ code: "ERR_EMBEDDER" });
  expect(events.find(({ event }) => event === "batch:drained")).toMatchObject({ calls: 1 });
  expect(events.at(-1)).toMatchObject({ texts: 3, dead: 0 });
  expect(stdout.text + stderr.text).not.toContain(API_KEY);
});
