// `--provider ./embedder.mjs`: what a file exports, and what is said where that fails.

import { expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { items, type Scope, testScope } from "../helpers/scope.ts";
import { cli } from "./run.ts";

const INDEX = join(import.meta.dir, "../../src/model/errors.ts");

async function folder(files: Readonly<Record<string, string>>) {
  const path = await mkdtemp(join(tmpdir(), "embedq-file-"));
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

function drain(scope: Scope, file: string, ...args: string[]): string[] {
  return ["drain", "--redis", scope.url, "--name", scope.name, "--provider", file, ...args];
}

test("an EmbedderError of another copy of embedq counts as one: no attempt is spent", async () => {
  await using scope = await testScope();
  await using files = await folder({
    // A module with another query is loaded anew: another class of the same name.
    "own.mjs": `import { EmbedderError } from ${JSON.stringify(`${INDEX}?copy`)};
let calls = 0;
export const embedder = {
  model: "own",
  dimensions: 1,
  embed: async (texts) => {
    if (calls++ === 0) throw new EmbedderError("rateLimited", "slowly", { retryAfterMs: 5 });
    return texts.map((text) => (text === "bad" ? new EmbedderError("rejected", "no") : [1]));
  },
};
`,
  });
  const queue = await scope.queue({ maxAttempts: 3 });
  await queue.enqueueMany([...items(5), { key: "bad:1", text: "bad" }]);
  const { code, stderr } = await cli(drain(scope, "./own.mjs"), { cwd: files.path });
  expect(stderr).toContain("slowly");
  expect(stderr).toContain("bad:1 given up: no");
  expect(code).toBe(4);
  expect(await queue.deadLetters()).toMatchObject([{ key: "bad:1", attempts: 0 }]);
});

test("a file that is no embedder is refused, with what helps", async () => {
  await using scope = await testScope();
  await using files = await folder({
    "needs.mjs": 'import "embedq-no-such-package";',
    "bare.mjs": "export default async (texts) => texts.map(() => [1]);",
    "none.mjs": "export const other = 1;",
  });
  const run = (file: string) => cli(drain(scope, file), { cwd: files.path });
  const [absent, needs, bare, none] = await Promise.all([
    run("./absent.mjs"),
    run("./needs.mjs"),
    run("./bare.mjs"),
    run("./none.mjs"),
  ]);
  expect(absent.stderr).toBe("embedq: Cannot load the embedder in ./absent.mjs: no such file\n");
  expect(needs.stderr).toContain("npm install embedq-no-such-package");
  expect(bare.stderr).toContain("--model and --dimensions");
  expect(none.stderr).toContain("must export an embedder");
  expect([absent, needs, bare, none].map(({ code }) => code)).toEqual([2, 2, 2, 2]);
});

test("a provider without a key says which variable it wants", async () => {
  const { code, stderr } = await cli(["drain", "--provider", "openai"]);
  expect(code).toBe(2);
  expect(stderr).toContain("The key for openai is missing in the environment");
  expect(stderr).toContain("export OPENAI_API_KEY=…");
});
