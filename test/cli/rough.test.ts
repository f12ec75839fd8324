// What goes wrong around a command: readers that stop reading, full disks, files and flags with secrets
// in the wrong place, embedders that do as they please.

import { expect, test } from "bun:test";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { emptyFolder } from "../helpers/folder.ts";
import { testScope } from "../helpers/scope.ts";
import { cli, startCli } from "./run.ts";

const MAIN = join(import.meta.dir, "../../src/cli/main.ts");
const SECRET = "hunter2";

async function folderWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await emptyFolder();
  for (const [name, content] of Object.entries(files)) await Bun.write(join(folder, name), content);
  return folder;
}

test("a config file that is no JSON is named with nothing of what it holds", async () => {
  const cwd = await folderWith({
    "bare.json": `{"redis": ${SECRET}}`,
    "mark.json": '\uFEFF{"concurency": 3}',
  });
  const bare = await cli(["stats", "--config", "bare.json"], { cwd });
  expect(bare).toMatchObject({ code: 2, stdout: "" });
  expect(bare.stderr).toContain("Cannot read the config file bare.json as it must be JSON");
  expect(bare.stderr).not.toContain(SECRET);
  const mark = await cli(["stats", "--config", "mark.json"], { cwd });
  expect(mark.stderr).toContain('"concurency" is not an option');
});

test("a mistyped flag is named without the password in its value", async () => {
  const { code, stderr } = await cli(["stats", `--rediss=redis://me:pass@${SECRET}@localhost`]);
  expect(code).toBe(2);
  expect(stderr).toContain("unknown option '--rediss=redis://me:…@localhost'");
  expect(stderr).not.toContain(SECRET);
});

test("the command that goes on has no part of a password with an @", async () => {
  await using scope = await testScope();
  const url = scope.url.replace("redis://", `redis://default:a@${SECRET}@`);
  const { code, stderr } = await cli(["enqueue", "-", "--redis", url, "--name", scope.name], {
    stdin: '{"key":"doc:1","text":"one"}\nnothing\n',
  });
  expect(code).toBe(1);
  expect(stderr).toContain("To go on:");
  expect(stderr).not.toContain(SECRET);
});

test("a full disk under standard output is one line and exit code 1", async () => {
  await using scope = await testScope();
  await (await scope.queue()).stop();
  const child = Bun.spawn(
    [
      "sh",
      "-c",
      '"$0" "$@" > /dev/full',
      process.execPath,
      MAIN,
      "stats",
      "--redis",
      scope.url,
    ].concat(["--name", scope.name]),
    { stdout: "pipe", stderr: "pipe" },
  );
  const stderr = await new Response(child.stderr).text();
  expect(await child.exited).toBe(1);
  expect(stderr).toStartWith("embedq: Cannot write to standard output: ENOSPC");
  expect(stderr.trim().split("\n")).toHaveLength(1);
});

test("an export whose reader reads no more ends at SIGTERM", async () => {
  await using scope = await testScope();
  const queue = await scope.queue();
  for (let page = 0; page < 40; page++) {
    // More than any pipe holds.
    const vector = Buffer.from(new Float32Array(4096).fill(page + 0.123456789).buffer);
    await scope.client.hSet(`doc:${page}`, { embedding: vector, embedding_status: "embedded" });
  }
  await queue.stop();
  const child = startCli(["export", "--redis", scope.url, "--name", scope.name]);
  const reader = child.stdout.getReader();
  await reader.read();
  child.kill("SIGTERM");
  expect(await child.exited).toBe(143);
});

test("export keeps away from folders and devices, and - is standard output", async () => {
  await using scope = await testScope();
  await (await scope.queue()).stop();
  const common = ["--redis", scope.url, "--name", scope.name];
  const cwd = await folderWith({});
  await mkdir(join(cwd, "there"));
  const folder = await cli(["export", "there", ...common], { cwd });
  expect(folder).toMatchObject({ code: 2, stdout: "" });
  expect(folder.stderr).toContain("Cannot write to there: it is a folder");
  const device = await cli(["export", "/dev/null", ...common], { cwd });
  expect(device.stderr).toContain("Cannot write to /dev/null: it is no file");
  expect((await cli(["export", "-", ...common], { cwd })).code).toBe(0);
  expect(await readdir(cwd)).toEqual(["there"]);
});

test("what a file of the user's prints does not come between results", async () => {
  await using scope = await testScope();
  const common = ["--redis", scope.url, "--name", scope.name];
  const cwd = await folderWith({
    "loud.mjs":
      'console.log("loaded"); export default { model: "loud", dimensions: 2, embed: async (texts) => { console.log("asked"); return texts.map(() => [1, 2]); } };',
  });
  await cli(["enqueue", "--key", "doc:1", "--text", "one", ...common]);
  const drained = await cli(["drain", "--provider", "./loud.mjs", "--json", ...common], { cwd });
  expect(drained.json).toMatchObject({ texts: 1 });
  expect(drained.stderr).toContain("asked");
});

test("an embedder that hangs does not hold up Ctrl-C", async () => {
  await using scope = await testScope();
  const common = ["--redis", scope.url, "--name", scope.name];
  const cwd = await folderWith({
    "hang.mjs":
      'console.error("waiting"); setInterval(() => {}, 1000); await new Promise(() => {});',
  });
  const child = startCli(["search", "x", "--provider", "./hang.mjs", ...common], { cwd });
  const heard = child.stderr.getReader();
  await heard.read();
  child.kill("SIGINT");
  expect(await child.exited).toBe(130);
});

test("a query vector that is none is said, not searched with", async () => {
  await using scope = await testScope();
  await (await scope.queue({ model: "odd", dimensions: 2 })).stop();
  const cwd = await folderWith({
    "none.mjs": 'export default { model: "odd", dimensions: 2, embed: async () => undefined };',
    "long.mjs": 'export default { model: "odd", dimensions: 2, embed: async () => [[1, 2, 3]] };',
  });
  const common = ["--redis", scope.url, "--name", scope.name, "--json"];
  const none = await cli(["search", "x", "--provider", "./none.mjs", ...common], { cwd });
  expect(none).toMatchObject({ code: 1, stdout: "" });
  expect(none.stderr).toContain("returned no vector for the query");
  const long = await cli(["search", "x", "--provider", "./long.mjs", ...common], { cwd });
  expect(long.stderr).toContain("must return 2 numbers for the query: there are 3");
});

test("an interval that no timer takes is refused", async () => {
  const { code, stderr } = await cli(["stats", "--watch", "--interval", "30d"]);
  expect(code).toBe(2);
  expect(stderr).toContain("--interval must be a time with its unit up to 24 days");
});

test("a Redis at an IPv6 address is looked for at this address", async () => {
  const { code, stderr } = await cli(["stats", "--redis", "redis://[::1]:1/2"]);
  expect(code).toBe(3);
  expect(stderr).toContain("connect E");
  expect(stderr).not.toContain("ENOTFOUND");
});

test("a packed file that is cut off is named, with how far it came", async () => {
  await using scope = await testScope();
  const cwd = await folderWith({});
  const lines = Array.from({ length: 2000 }, (_, n) => `{"key":"doc:${n}","text":"${n * 7919}"}\n`);
  const packed = Bun.gzipSync(lines.join(""));
  await Bun.write(join(cwd, "cut.jsonl.gz"), packed.subarray(0, packed.length / 2));
  const common = ["--redis", scope.url, "--name", scope.name];
  const { code, stderr } = await cli(["enqueue", "cut.jsonl.gz", ...common], { cwd });
  expect(code).toBe(1);
  expect(stderr).toContain("Cannot read cut.jsonl.gz to its end: ");
});
