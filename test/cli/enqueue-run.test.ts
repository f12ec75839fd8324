// `embedq enqueue` over time: cut and gone on, waiting for vectors, on other runtimes.

import { expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { type Scope, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";
import { installPackage } from "../runtimes/package.ts";
import { cli } from "./run.ts";

const ROOT = join(import.meta.dir, "../..");
const MAIN = join(ROOT, "src/cli/main.ts");
const at = (scope: Scope) => ["--redis", scope.url, "--name", scope.name];
const lines = (from: number, to: number) =>
  Array.from(
    { length: to - from },
    (_, i) => `{"key":"k:${from + i}","text":"text ${from + i}"}\n`,
  );

test("Ctrl-C on a pipe that brings no more: what came is in, and it says how to go on", async () => {
  await using scope = await testScope();
  const child = spawn(process.execPath, [MAIN, "enqueue", ...at(scope), "-"], { stdio: "pipe" });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  child.stdin.write(lines(1, 2501).join(""));
  const size = () => scope.client.hLen(scope.keys.dedup);
  await until(async () => (await size()) === 2500, { what: "2,500 texts", timeoutMs: 20_000 });
  const ended = once(child, "close");
  child.kill("SIGINT");
  expect((await ended)[0]).toBe(130);
  expect(said).toContain("Enqueued up to line 2500 of stdin.");
  expect(said).toContain("- --skip-lines 2500");
  expect(said).toContain("Interrupted by SIGINT");
});

test("--wait counts what became of each text, with fewer outstanding than it may; dead ones end with 4", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  await scope.worker({ embedder, maxBatchSize: 50, flushIntervalMs: 60_000, maxAttempts: 1 });
  const blank = '{"key":"blank","text":" "}\n';
  const stdin = lines(0, 130).join("") + blank;
  const args = [
    "enqueue",
    ...at(scope),
    "--wait",
    "--max-pending",
    "60",
    "--json",
    "--timeout",
    "50s",
  ];
  const good = await cli(args, { stdin });
  expect(good.code).toBe(0);
  expect(good.json).toMatchObject({
    done: true,
    enqueued: 131,
    outcomes: { embedded: 130, blank: 1, dead: 0, gone: 0 },
    open: 0,
  });
  embedder.always((texts) => texts.map((text) => new Error(`bad: ${text.length}`)));
  const bad = await cli(args, { stdin: lines(200, 203).join("") });
  expect(bad.code).toBe(4);
  expect(bad.json).toMatchObject({ outcomes: { embedded: 0, blank: 0, dead: 3, gone: 0 } });
});

test("--wait without a worker says so, and gives up in time", async () => {
  await using scope = await testScope();
  const args = ["enqueue", ...at(scope), "--wait", "--timeout", "3500ms"];
  const { code, stderr } = await cli(args, { stdin: lines(0, 3).join("") });
  expect(stderr).toContain("No worker runs on this queue");
  expect(stderr).toContain("3 texts not settled within 3.5 s; they stay queued");
  expect(code).toBe(1);
  expect(Object.keys(await scope.dedup())).toHaveLength(3);
});

test("a Redis that goes away under way ends it with 3, and says how to go on", async () => {
  await using scope = await testScope();
  const proxy = await scope.proxy();
  const url = `redis://127.0.0.1:${proxy.port}`;
  const args = [MAIN, "enqueue", "--redis", url, "--name", scope.name, "-"];
  const child = spawn(process.execPath, args, { stdio: "pipe" });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  child.stdin.write(lines(1, 101).join(""));
  const size = () => scope.client.hLen(scope.keys.dedup);
  await until(async () => (await size()) === 100, { what: "100 texts", timeoutMs: 20_000 });
  // Sent only after the answer for those before it.
  child.stdin.write(lines(101, 102).join(""));
  await until(async () => (await size()) === 101, { what: "one more", timeoutMs: 20_000 });
  const ended = once(child, "close");
  await proxy.refuse();
  proxy.cut();
  child.stdin.write(lines(102, 202).join(""));
  expect((await ended)[0]).toBe(3);
  expect(said).toMatch(/Enqueued up to line 10[01] of stdin\./);
}, 60_000);

test("Node with the package, and Deno with the sources, take files and pipes too", async () => {
  await using scope = await testScope();
  await using installed = await installPackage();
  const cwd = installed.dir;
  const commands = [
    ["node", "node_modules/embedq/dist/cli.js"],
    [join(ROOT, "node_modules/.bin/deno"), "run", "-A", "--no-remote", "--quiet", MAIN],
  ];
  await writeFile(join(cwd, "docs.csv"), 'key,text\nc:1,"ä,\nb"\n');
  for (const command of commands) {
    const run = async (args: readonly string[], stdin = "") => {
      const child = Bun.spawn([...command, "enqueue", ...at(scope), ...args], {
        cwd,
        stdin: new Blob([stdin]),
        stdout: "ignore",
        stderr: "pipe",
      });
      const said = await new Response(child.stderr).text();
      return { code: await child.exited, said };
    };
    expect(await run(["docs.csv"])).toEqual({ code: 0, said: "" });
    expect(await run(["-"], lines(0, 3000).join(""))).toEqual({ code: 0, said: "" });
    expect(Object.keys(await scope.dedup())).toHaveLength(3001);
    await scope.client.flushAll();
  }
}, 120_000);
