// `embedq enqueue`: every format from a file and from a pipe, bad lines both ways, one text.

import { expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { emptyFolder } from "../helpers/folder.ts";
import { type Scope, testScope } from "../helpers/scope.ts";
import { cli } from "./run.ts";

const at = (scope: Scope) => ["--redis", scope.url, "--name", scope.name];

/** The texts that wait, by key. */
async function waiting(scope: Scope): Promise<Record<string, string>> {
  const entries = Object.entries(await scope.dedup());
  return Object.fromEntries(
    entries.map(([key, value]) => [key, value.slice(value.indexOf("\n") + 1)]),
  );
}

const BODIES = { "doc:1": "Ströme halten\nOrdnung", "doc:2": "zwei, 漢字" };
const SAME = {
  "docs.jsonl": '{"id":1,"text":"Ströme halten\\nOrdnung"}\r\n\n{"id":2,"text":"zwei, 漢字"}',
  "docs.csv": '\uFEFFid,text\r\n1,"Ströme halten\r\nOrdnung"\r\n2,"zwei, 漢字"\r\n',
  "docs.tsv": 'id\ttext\n1\t"Ströme halten\nOrdnung"\n2\tzwei, 漢字',
};

test.each(Object.entries(SAME))(
  "%s goes in from a file, packed, and from a pipe",
  async (name, content) => {
    await using scope = await testScope();
    const cwd = await emptyFolder();
    await writeFile(join(cwd, name), content);
    await writeFile(join(cwd, `${name}.gz`), gzipSync(content));
    const args = ["enqueue", ...at(scope), "--key-template", "doc:{id}", "--json"];
    const format = name.slice(name.indexOf(".") + 1);
    const ways = [
      await cli([...args, name], { cwd }),
      await cli([...args, `${name}.gz`], { cwd }),
      await cli([...args, "--format", format], { stdin: content }),
    ];
    for (const { json, code, stderr } of ways) {
      expect(stderr).toBe("");
      expect(code).toBe(0);
      expect(json).toMatchObject({ done: true, read: 2, enqueued: 2, bad: 0 });
    }
    expect(await waiting(scope)).toEqual(BODIES);
  },
);

test("plain lines need a template; several files go in one after the other, the last text of a key wins", async () => {
  await using scope = await testScope();
  const cwd = await emptyFolder();
  await writeFile(join(cwd, "a.txt"), "eins\n\ndrei");
  await writeFile(join(cwd, "b.jsonl"), '{"key":"n:3","text":"three"}\n');
  const refused = await cli(["enqueue", ...at(scope), "a.txt"], { cwd });
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain("--key-template 'doc:{line}'");
  expect(await waiting(scope)).toEqual({});
  await cli(["enqueue", ...at(scope), "a.txt", "--key-template", "n:{line}"], { cwd });
  const { stdout } = await cli(["enqueue", ...at(scope), "b.jsonl"], { cwd });
  expect(stdout).toMatch(/^1 text enqueued in /);
  expect(await waiting(scope)).toEqual({ "n:1": "eins", "n:3": "three" });
});

const LINES = [1, 2, 3, 4, 5].map((i) => JSON.stringify({ key: `k:${i}`, text: `text ${i}` }));

test("a bad line stops it: what stands before is in, what follows is not; it goes on from there", async () => {
  await using scope = await testScope();
  const cwd = await emptyFolder();
  const file = join(cwd, "docs.jsonl");
  const lines = [...LINES.slice(0, 2), "secret words", ...LINES.slice(3)];
  await writeFile(file, lines.join("\n"));
  const stopped = await cli(["enqueue", ...at(scope), "docs.jsonl"], { cwd });
  expect(stopped.code).toBe(1);
  expect(stopped.stderr).toContain("Stopped at docs.jsonl:3: is not JSON");
  expect(stopped.stderr).toContain("docs.jsonl --skip-lines 2");
  expect(stopped.stderr).not.toContain("secret");
  expect(Object.keys(await waiting(scope))).toEqual(["k:1", "k:2"]);

  await writeFile(file, LINES.join("\n"));
  const rest = await cli(["enqueue", ...at(scope), "docs.jsonl", "--skip-lines", "2", "--json"], {
    cwd,
  });
  expect(rest.json).toMatchObject({ read: 3, enqueued: 3 });
  expect(Object.keys(await waiting(scope)).sort()).toEqual(["k:1", "k:2", "k:3", "k:4", "k:5"]);
});

test("bad lines are skipped on demand: the first twenty are named, the rest is counted", async () => {
  await using scope = await testScope();
  const bad = Array.from({ length: 25 }, () => "{}");
  const long = JSON.stringify({ key: "long", text: "x".repeat(5000) });
  const stdin = [...LINES, ...bad, long, ...LINES].join("\n");
  const args = ["enqueue", ...at(scope), "-", "--on-bad-line", "skip", "--max-line-bytes", "2000"];
  const { code, stderr, stdout } = await cli(args, { stdin });
  expect(code).toBe(4);
  const named = stderr.split("\n").filter((line) => /^stdin:\d+: has no field "text"/.test(line));
  expect(named).toHaveLength(20);
  expect(named[0]).toStartWith("stdin:6:");
  expect(stderr).toContain("stdin: 6 more bad lines");
  expect(stdout).toMatch(/^10 texts enqueued in .*, 26 bad lines skipped\n$/);
  expect(Object.keys(await waiting(scope))).toHaveLength(5);
});

test("one text, and a dry run that needs no Redis", async () => {
  await using scope = await testScope();
  const one = await cli(["enqueue", ...at(scope), "--key", "doc:1", "--text", "hello", "--json"]);
  const { key, version } = one.json as { key: string; version: number };
  expect(key).toBe("doc:1");
  expect(await scope.dedup()).toEqual({ "doc:1": expect.stringContaining(`${version} `) });
  const away = ["--redis", "redis://127.0.0.1:1"];
  const dry = await cli(["enqueue", "-", "--dry-run", ...away], { stdin: LINES.join("\n") });
  expect(dry.code).toBe(0);
  expect(dry.stdout).toContain("k:1  text 1\n");
  expect(dry.stdout).toContain("5 texts could be enqueued\n");
});

test("nothing in, nothing done; a call that cannot work is refused before anything is enqueued", async () => {
  await using scope = await testScope();
  const empty = await cli(["enqueue", ...at(scope), "--json"]);
  expect(empty.json).toMatchObject({ done: true, read: 0, enqueued: 0 });
  const cwd = await emptyFolder();
  await writeFile(join(cwd, "good.jsonl"), LINES.join("\n"));
  await writeFile(join(cwd, "docs.csv"), "id;body\n1;x\n");
  const absent = await cli(["enqueue", ...at(scope), "good.jsonl", "absent.jsonl"], { cwd });
  expect(absent.stderr).toContain("Cannot read absent.jsonl: no such file");
  const column = await cli(["enqueue", ...at(scope), "docs.csv"], { cwd });
  expect(column.stderr).toContain('no column "key": its header is id;body (is --delimiter right?)');
  expect([absent.code, column.code]).toEqual([2, 2]);
  expect(await waiting(scope)).toEqual({});
});
