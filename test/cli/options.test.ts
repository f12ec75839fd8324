// Where options come from, and what is said of bad ones.

import { expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { emptyFolder } from "../helpers/folder.ts";
import { testScope } from "../helpers/scope.ts";
import { cli } from "./run.ts";

test("a flag counts more than the environment, that more than the config file", async () => {
  await using scope = await testScope();
  const cwd = await emptyFolder();
  const names = {
    file: `${scope.name}-file`,
    env: `${scope.name}-env`,
    flag: `${scope.name}-flag`,
  };
  for (const name of Object.values(names)) await scope.queue({ name, leaseMs: 1000 * name.length });
  await writeFile(
    join(cwd, "embedq.config.json"),
    JSON.stringify({ redis: scope.url, name: names.file }),
  );
  const leaseOf = async (args: string[], env: Record<string, string> = {}) =>
    ((await cli(["config", "--json", ...args], { cwd, env })).json as { leaseMs: number }).leaseMs;

  expect(await leaseOf([])).toBe(1000 * names.file.length);
  const env = { EMBEDQ_NAME: names.env };
  expect(await leaseOf([], env)).toBe(1000 * names.env.length);
  expect(await leaseOf(["--name", names.flag], env)).toBe(1000 * names.flag.length);
});

test("REDIS_URL is used where embedq's own variable is not set, and flags may stand before the command", async () => {
  await using scope = await testScope();
  await scope.queue();
  const byEnv = await cli(["stats", "--name", scope.name], { env: { REDIS_URL: scope.url } });
  expect(byEnv.code).toBe(0);
  const before = await cli(["--redis", scope.url, "--name", scope.name, "stats"]);
  expect(before.code).toBe(0);
});

test.each([
  [["flush", "--timeout", "soon"], {}, "--timeout must be a time with its unit"],
  [["stats"], { EMBEDQ_REDIS: "localhost:6379" }, "EMBEDQ_REDIS must be a URL"],
  [["stats", "--frobnicate"], {}, "unknown option '--frobnicate'"],
  [["statz"], {}, "Did you mean stats?"],
] as const)("%p is refused with its place, and exit code 2", async (args, env, message) => {
  const { code, stderr, stdout } = await cli(args, { env });
  expect(stderr).toContain(message);
  expect(stdout).toBe("");
  expect(code).toBe(2);
});

test.each([
  ['{ "concurrency": "many" }', '"concurrency" must be a whole number from 1: it is "many"'],
  ['{ "concurency": 4 }', '"concurency" is not an option'],
  ["{ concurrency }", "must be JSON"],
  ["[]", "must be an object of options"],
])("the config file %p is refused with the place of the fault", async (json, message) => {
  const cwd = await emptyFolder();
  await writeFile(join(cwd, "embedq.config.json"), json);
  const { code, stderr } = await cli(["stats"], { cwd });
  expect(stderr).toContain("embedq.config.json");
  expect(stderr).toContain(message);
  expect(code).toBe(2);
});

test("a password in a URL is shown nowhere", async () => {
  const bad = await cli(["stats"], { env: { REDIS_URL: "redis//me:s3cret@127.0.0.1:1" } });
  const away = await cli(["stats", "--redis", "redis://me:s3cret@127.0.0.1:1", "--verbose"]);
  expect(bad.code).toBe(2);
  expect(away.code).toBe(3);
  expect(bad.stderr + away.stderr).not.toContain("s3cret");
});
