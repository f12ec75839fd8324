// `embedq get`, `search` and `export`: what destinations hold, read from outside.

import { expect, test } from "bun:test";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { hashing } from "../../src/providers/index.ts";
import { emptyFolder } from "../helpers/folder.ts";
import { type Scope, testScope } from "../helpers/scope.ts";
import { cli } from "./run.ts";

const TEXTS = {
  "doc:streams": "Streams keep their entries in order",
  "doc:sets": "Sorted sets rank members by a score",
  "doc:hashes": "Hashes hold fields, for instance a vector",
};

/** A queue with three texts, a blank one, and a vector of another size; its common arguments. */
async function filled(scope: Scope): Promise<string[]> {
  const queue = await scope.queue({ embedder: hashing({ dimensions: 64 }) });
  const items = Object.entries(TEXTS).map(([key, text]) => ({ key, text }));
  await queue.enqueueMany([...items, { key: "doc:blank", text: " " }]);
  await queue.flushAndWait();
  await scope.untilEmpty();
  await scope.client.hSet("doc:sets", "title", "Sets\u001b[31m");
  await scope.client.hSet("old:1", "embedding", Buffer.from(new Float32Array([1, 2]).buffer));
  return ["--redis", scope.url, "--name", scope.name];
}

test("embedq get tells what a key holds, in words, as data and as bytes", async () => {
  await using scope = await testScope();
  const common = await filled(scope);
  const words = await cli(["get", "doc:streams", ...common]);
  expect(words.code).toBe(0);
  expect(words.stdout).toMatch(/status +embedded\nversion +\d{16} \(20/);
  expect(words.stdout).toContain("64 numbers, length 1.0000: ");
  const { json } = await cli(["get", "doc:streams", ...common, "--json"]);
  expect((json as { embedding: number[] }).embedding).toEqual(
    (await scope.vector("doc:streams")) ?? [],
  );
  const raw = await cli(["get", "doc:blank", "--raw", ...common]);
  expect(raw.stdout).toBe("\0".repeat(256));
  const absent = await cli(["get", "doc:none", ...common]);
  expect(absent).toMatchObject({ code: 1, stdout: "" });
  expect(absent.stderr).toContain('There is no embedding at "doc:none"');
});

test("embedq search finds the nearest first, and shows a field with nothing that a terminal obeys", async () => {
  await using scope = await testScope();
  const common = await filled(scope);
  const provider = ["--provider", "hashing", "--dimensions", "64"];
  const query = "in which order are the entries of streams";
  const found = await cli(["search", query, ...provider, ...common, "--json"]);
  expect(found.code).toBe(0);
  const list = found.json as { key: string; score: number }[];
  expect(list.map(({ key }) => key).sort()).toEqual(Object.keys(TEXTS).sort());
  expect(list[0]?.key).toBe("doc:streams");
  expect(found.stderr).toContain("3 vectors compared");
  expect(found.stderr).toContain("2 blank, dead or of another size");

  const shown = await cli([
    ...["search", "sorted sets", "--show", "title", "--limit", "1", "--match", "doc:*"],
    ...provider,
    ...common,
  ]);
  expect(shown.stdout).toMatch(/^0\.\d{4} {2}doc:sets {2}Sets \[31m\n$/);
});

test("embedq search refuses a query of another model than the queue's", async () => {
  await using scope = await testScope();
  const common = await filled(scope);
  const other = ["search", "x", "--provider", "hashing", "--dimensions", "32", ...common];
  const { code, stderr } = await cli(other);
  expect(code).toBe(2);
  expect(stderr).toContain("The dimensions of the query must be that of the queue, 64: it is 32");
});

test("embedq export writes JSON lines, with fields, in numbers or in base64", async () => {
  await using scope = await testScope();
  const common = await filled(scope);
  const lines = async (...args: string[]) => {
    const { stdout, code } = await cli(["export", "--match", "doc:*", ...args, ...common]);
    expect(code).toBe(0);
    const parsed = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Line);
    return new Map(parsed.map((line) => [line.key, line]));
  };
  const plain = await lines("--fields", "title");
  expect([...plain.keys()].sort()).toEqual(Object.keys(TEXTS).sort());
  expect(plain.get("doc:sets")?.fields).toEqual({ title: "Sets\u001b[31m" });
  const vector = (await scope.vector("doc:sets")) ?? [];
  expect(plain.get("doc:sets")?.embedding).toEqual(vector);
  const coded = (await lines("--base64", "--all")).get("doc:sets")?.embedding as string;
  const bytes = Buffer.from(coded, "base64");
  expect([...new Float32Array(Uint8Array.from(bytes).buffer)]).toEqual(vector);
});

interface Line {
  readonly key: string;
  readonly fields: Record<string, string>;
  readonly embedding: unknown;
}

test("embedq export writes a matrix that NumPy's format describes, and its keys", async () => {
  await using scope = await testScope();
  const common = await filled(scope);
  const cwd = await emptyFolder();
  const { code, stderr } = await cli(["export", "all.npy", ...common], { cwd });
  // The vector of another size does not fit into the matrix.
  expect(stderr).toContain("1 vector of another size left out");
  expect(code).toBe(4);
  expect((await readdir(cwd)).sort()).toEqual(["all.keys.jsonl", "all.npy"]);
  const file = await readFile(join(cwd, "all.npy"));
  expect(file.subarray(0, 8)).toEqual(Buffer.from("\x93NUMPY\x01\x00", "latin1"));
  const headerBytes = file.readUInt16LE(8);
  expect((headerBytes + 10) % 64).toBe(0);
  const header = file.subarray(10, 10 + headerBytes).toString();
  expect(header).toMatch(/^\{'descr': '<f4', 'fortran_order': False, 'shape': \(3, 64\), \} *\n$/);
  const numbers = new Float32Array(Uint8Array.from(file.subarray(10 + headerBytes)).buffer);
  const keys = (await readFile(join(cwd, "all.keys.jsonl"), "utf8")).trim().split("\n");
  expect(numbers.length).toBe(3 * 64);
  for (const [row, key] of keys.entries()) {
    const vector = (await scope.vector(JSON.parse(key) as string)) ?? [];
    expect([...numbers.subarray(row * 64, (row + 1) * 64)]).toEqual(vector);
  }
});

test("embedq export leaves nothing behind where it fails, and says what a matrix needs", async () => {
  await using scope = await testScope();
  const common = await filled(scope);
  const cwd = await emptyFolder();
  const toPipe = await cli(["export", "--format", "npy", ...common], { cwd });
  expect(toPipe).toMatchObject({ code: 2, stdout: "" });
  const nowhere = await cli(["export", "no/such/folder.jsonl", ...common], { cwd });
  expect(nowhere.code).toBe(2);
  expect(nowhere.stderr).toContain("Cannot write to no/such/folder.jsonl");
  expect(await readdir(cwd)).toEqual([]);
});

test("a queue that is not there is an error, and stays not there", async () => {
  await using scope = await testScope();
  const { code, stderr } = await cli(["stats", "--redis", scope.url, "--name", "mistyped"]);
  expect(code).toBe(1);
  expect(stderr).toContain("mistyped");
  expect(stderr).toContain("hint: is the name right");
  expect(await scope.client.keys("*")).toEqual([]);
});

test("embedq search shows a field that is called key beside the key", async () => {
  await using scope = await testScope();
  const common = await filled(scope);
  await scope.client.hSet("doc:sets", "key", "own");
  const words = ["search", "sorted sets", "--limit", "1", "--match", "doc:*", "--show", "key"];
  const provider = ["--provider", "hashing", "--dimensions", "64", ...common];
  expect((await cli([...words, ...provider])).stdout).toMatch(/^\d\.\d+ {2}doc:sets {2}own\n$/);
  expect((await cli([...words, ...provider, "--json"])).json).toMatchObject([{ key: "doc:sets" }]);
});
