// `embedq dead`: letters are listed, shown, sent back and removed, by ID or all.

import { expect, test } from "bun:test";
import { removeLettersUpTo } from "../../src/cli/letters.ts";
import { EmbedderError } from "../../src/index.ts";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { type Scope, testScope } from "../helpers/scope.ts";
import { cli } from "./run.ts";

/** A queue with three dead letters, and the arguments that name it. */
async function withLetters(scope: Scope): Promise<string[]> {
  const embedder = new FakeEmbedder().always((texts) =>
    texts.map(() => new EmbedderError("rejected", "not\u001b[2J allowed")),
  );
  const queue = await scope.queue({ embedder });
  for (const n of [1, 2, 3]) {
    await queue.enqueue(`doc:${n}`, `bad\u001b[2J text ${n}`);
    await queue.flushAndWait();
  }
  await scope.untilEmpty();
  await queue.stop();
  return ["--redis", scope.url, "--name", scope.name];
}

test("embedq dead ls lists letters from either end, with nothing that a terminal obeys", async () => {
  await using scope = await testScope();
  const common = await withLetters(scope);
  const all = await cli(["dead", "ls", ...common]);
  expect(all.code).toBe(0);
  const lines = all.stdout.trim().split("\n");
  expect(lines.map((line) => line.split("  ")[1])).toEqual(["doc:1", "doc:2", "doc:3"]);
  expect(all.stdout).toContain("not [2J allowed");
  const newest = await cli(["dead", "ls", "--newest", "--limit", "2", "--json", ...common]);
  const letters = newest.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Letter);
  expect(letters.map(({ key }) => key)).toEqual(["doc:3", "doc:2"]);
  expect(newest.stderr).toContain("There may be more");
});

interface Letter {
  readonly id: string;
  readonly key: string;
}

test("embedq dead show tells the text of one letter, and of no other", async () => {
  await using scope = await testScope();
  const common = await withLetters(scope);
  const { stdout } = await cli(["dead", "ls", "--json", ...common]);
  const [, second] = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Letter);
  const shown = await cli(["dead", "show", second?.id ?? "", ...common]);
  expect(shown.stdout).toMatch(/key +doc:2\n/);
  expect(shown.stdout).toEndWith("\n\nbad [2J text 2\n");
  const absent = await cli(["dead", "show", "1-1", ...common]);
  expect(absent).toMatchObject({ code: 1, stdout: "" });
  expect(absent.stderr).toContain("There is no dead letter 1-1");
  expect((await cli(["dead", "show", "first", ...common])).code).toBe(2);
});

test("embedq dead retry --all sends every letter back, and rm --all removes them", async () => {
  await using scope = await testScope();
  const common = await withLetters(scope);
  const retried = await cli(["dead", "retry", "--all", ...common]);
  expect(retried).toMatchObject({ code: 0, stdout: "queued 3\n" });
  expect((await scope.stream()).length).toBe(3);
  expect(await scope.dead()).toEqual([]);
  expect((await cli(["dead", "retry", "--all", ...common])).stdout).toBe("no dead letters\n");
  expect((await cli(["dead", "retry", ...common])).code).toBe(2);
});

test("embedq dead rm removes by ID, or all", async () => {
  await using scope = await testScope();
  const common = await withLetters(scope);
  const { stdout } = await cli(["dead", "ls", "--json", ...common]);
  const [first] = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Letter);
  const one = await cli(["dead", "rm", first?.id ?? "", "1-1", ...common]);
  expect(one).toMatchObject({ code: 4, stdout: "1 dead letter removed\n" });
  const rest = await cli(["dead", "rm", "--all", ...common]);
  expect(rest).toMatchObject({ code: 0, stdout: "2 dead letters removed\n" });
  expect(await scope.dead()).toEqual([]);
});

test("embedq dead rm --all stops at the newest letter of its begin, even where that is gone", async () => {
  await using scope = await testScope();
  await withLetters(scope);
  const queue = await scope.queue();
  const ids = (await queue.deadLetters()).map(({ id }) => id);
  const [, second = "", third = ""] = ids;
  await queue.removeDeadLetters([second]);
  const signal = new AbortController().signal;
  expect(await removeLettersUpTo(queue, second, signal)).toBe(1);
  expect((await queue.deadLetters()).map(({ id }) => id)).toEqual([third]);
});
