// `embedq doctor`: what people read, what scripts get, and what it ends with.

import { expect, test } from "bun:test";
import { startRedis } from "../helpers/redis.ts";
import { items, testScope } from "../helpers/scope.ts";
import { API_KEY, startOpenAI } from "../providers/servers/openai.ts";
import { cli } from "./run.ts";

const WELL_SET_UP = ["--appendonly", "yes", "--notify-keyspace-events", "Kh"];

test("a healthy set-up ends with 0, every check on a line of its own", async () => {
  await using scope = await testScope({ args: WELL_SET_UP });
  await using server = await startOpenAI();
  await scope.queue({ model: "text-embedding-3-small", dimensions: 1536 });
  const provider = ["--provider", "openai", "--base-url", `${server.url}/v1`];
  const args = ["doctor", "--redis", scope.url, "--name", scope.name, ...provider];
  const { stdout, stderr, code } = await cli(args, { env: { OPENAI_API_KEY: API_KEY } });
  expect(stderr).toBe("");
  expect(code).toBe(0);
  const lines = stdout.trimEnd().split("\n");
  expect(lines.at(-1)).toBe("healthy: 0 problems, 0 warnings, 0 notes");
  expect(stdout).toContain("ok       provider       The provider answers");
  expect(stdout).not.toContain("→");
});

test("problems end with 1, each with what to do; --json holds the same", async () => {
  await using scope = await testScope({ args: ["--maxmemory-policy", "allkeys-lru"] });
  await scope.queue({ model: "small-1", dimensions: 8 });
  const args = ["doctor", "--redis", scope.url, "--name", scope.name];
  const asked = ["--model", "large-2", "--dimensions", "4"];
  const { stdout, stderr, code } = await cli([...args, ...asked]);
  expect(code).toBe(1);
  expect(stdout).toContain("PROBLEM  eviction       maxmemory-policy is allkeys-lru");
  expect(stdout).toContain("PROBLEM  persistence");
  expect(stdout).toContain("→ Use the model of the queue");
  expect(stdout).toContain("not healthy: 3 problems, 1 warning, 0 notes");
  expect(stderr).toContain("embedq doctor --fix");
  const { json, code: jsonCode } = await cli([...args, ...asked, "--json"]);
  expect(jsonCode).toBe(1);
  expect(json).toMatchObject({ isHealthy: false });
  const { findings } = json as { findings: { check: string; level: string }[] };
  const problems = findings.filter(({ level }) => level === "problem");
  expect(problems.map(({ check }) => check)).toEqual(["persistence", "eviction", "settings"]);
});

test("the line that the settings' advice names is one that works", async () => {
  await using scope = await testScope({ args: WELL_SET_UP });
  await scope.queue({ model: "small-1", dimensions: 8 });
  const args = ["--redis", scope.url];
  const asked = ["doctor", "--name", scope.name, "--model", "large-2", "--dimensions", "4"];
  const { stdout } = await cli([...asked, ...args]);
  const [, line = ""] = /`embedq (config set [^`]*)`/.exec(stdout) ?? [];
  const words = line.split(" ").map((piece) => piece.replaceAll('"', ""));
  expect((await cli([...words, ...args])).code).toBe(0);
  expect((await cli([...asked, ...args])).code).toBe(0);
});

test("--fix mends the queue's data and the flags, and says so", async () => {
  await using scope = await testScope({ args: ["--appendonly", "yes"] });
  const queue = await scope.queue({ model: "small-1", dimensions: 8 });
  await queue.enqueueMany(items(2));
  await scope.client.del(scope.keys.pending);
  const args = ["doctor", "--redis", scope.url, "--name", scope.name];
  expect((await cli(args)).code).toBe(1);
  const fixing = await cli([...args, "--fix"]);
  expect(fixing.stdout.match(/mended/g)).toHaveLength(2);
  expect(fixing.code).toBe(0);
  const after = await cli([...args, "--json"]);
  const { findings } = after.json as { findings: { check: string; level: string }[] };
  const repaired = findings.filter(({ check }) => /orphans|notifications/.test(check));
  expect(repaired.map(({ level }) => level)).toEqual(["ok", "ok"]);
  await scope.client.del([scope.keys.pending, scope.keys.dedup]);
});

test("a Redis that is not there is a finding, and no password is shown", async () => {
  const server = await startRedis();
  await server.stop();
  const redis = server.url.replace("//", "//:hunter2hunter2@");
  const { stdout, stderr, code } = await cli(["doctor", "--redis", redis]);
  expect(code).toBe(1);
  expect(stdout).toContain("PROBLEM  connection");
  expect(stdout + stderr).not.toContain("hunter2");
});
