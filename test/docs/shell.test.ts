// Every shell block of every page is run, page by page, each page in a folder and on a Redis of its
// own, its blocks one after the other as a reader would type them. examples.ts has the marks.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hashing } from "../../src/providers/index.ts";
import { testScope } from "../helpers/scope.ts";
import { allExamples, type Example, markOf, ROOT } from "./examples.ts";

/** What the name of a queue is where nobody gives one. */
const USUAL_NAME = "embed_queue";
/** Not on every machine; a page that calls one that is missing is skipped, as its blocks build on each other. */
const TOOLS: Readonly<Record<string, () => boolean>> = {
  jq: () => Bun.which("jq") !== null,
  "redis-cli": () => Bun.which("redis-cli") !== null,
  numpy: () =>
    Bun.which("python3") !== null && Bun.spawnSync(["python3", "-c", "import numpy"]).success,
};

const examples = await allExamples();
const runPages = [...new Set(examples.filter(isRun).map(({ from }) => from.replace(/:\d+$/, "")))];

let bin: string;
beforeAll(async () => {
  bin = await mkdtemp(join(tmpdir(), "embedq-bin-"));
  await writeProgram(
    "embedq",
    `exec "${process.execPath}" "${join(ROOT, "src/cli/main.ts")}" "$@"`,
  );
  // As it is called where it is not installed for the whole machine.
  for (const name of ["npx", "bunx"]) await writeProgram(name, 'exec "$@"');
});
afterAll(() => rm(bin, { recursive: true }));

for (const page of runPages) {
  test.skipIf(lacksTools(page))(
    `the shell blocks of ${page} do what the page says`,
    async () => {
      await using scope = await testScope();
      // The queue that the page speaks of is there, and its model is the one that needs no network.
      await scope.queue({ name: USUAL_NAME, embedder: undefined, ...modelOf(hashing()) });
      const dir = await mkdtemp(join(tmpdir(), "embedq-page-"));
      try {
        await linkPackage(dir);
        let printed = "";
        for (const example of examples.filter((one) => isOf(one, page))) {
          const file = markOf(example, "saved as");
          if (file !== undefined) await saveFile(join(dir, file), example.code);
          else if (isRun(example)) {
            printed = await runBlock(example, dir, { REDIS_URL: scope.url });
          } else if (example.mark === "output") {
            expect(`${example.from}\n${printed}`).toMatch(patternOf(example));
          }
        }
      } finally {
        await rm(dir, { recursive: true });
      }
    },
    240_000,
  );
}

test("shell blocks are run at all", () => {
  expect(runPages).toContain("docs/guides/scripting.md");
  expect(examples.filter(isRun).length).toBeGreaterThan(15);
});

function isRun(example: Example): boolean {
  return example.language === "sh" && markOf(example, "not run") === undefined;
}

function lacksTools(page: string): boolean {
  const code = examples
    .filter((one) => isRun(one) && isOf(one, page))
    .map((one) => one.code)
    .join("\n");
  return Object.entries(TOOLS).some(
    ([tool, has]) => new RegExp(`\\b${tool}\\b`).test(code) && !has(),
  );
}

function isOf({ from }: Example, page: string): boolean {
  return from.startsWith(`${page}:`);
}

function modelOf({ model, dimensions }: { model: string; dimensions: number }) {
  return { model, dimensions };
}

/** Runs a block in bash, with the variables that the blocks before it have exported; what it prints. */
async function runBlock(
  example: Example,
  dir: string,
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const state = join(dir, ".exports");
  const script = `[ ! -e ${state} ] || . ${state}\nset -eo pipefail\n${example.code}\nexport -p >${state}\n`;
  const child = Bun.spawn(["bash", "-c", script], {
    cwd: dir,
    env: { PATH: `${bin}:${process.env["PATH"]}`, HOME: dir, NO_COLOR: "1", ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  const wanted = Number(markOf(example, "exit") ?? 0);
  const told = `${example.from}\n${example.code}${stdout}${stderr}`;
  expect(`${told}\nexit ${code}`).toBe(`${told}\nexit ${wanted}`);
  return stdout;
}

/** The text after the place of the block; … stands for anything, on a line of its own for many lines. */
function patternOf({ from, code }: Example): RegExp {
  const literal = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const pattern = literal(code).replaceAll(/^…$/gm, "[^]*").replaceAll("…", ".*");
  return new RegExp(`^${literal(from)}\n${pattern}$`);
}

/** What files of the page import as a user's would: the sources, as the command line itself uses them. */
async function linkPackage(dir: string): Promise<void> {
  const files = {
    "package.json": JSON.stringify({
      exports: { ".": "./index.js", "./providers": "./providers.js" },
    }),
    "index.js": `export * from ${JSON.stringify(join(ROOT, "src/index.ts"))};`,
    "providers.js": `export * from ${JSON.stringify(join(ROOT, "src/providers/index.ts"))};`,
  };
  await saveFile(join(dir, "package.json"), JSON.stringify({ private: true, type: "module" }));
  for (const [name, content] of Object.entries(files)) {
    await saveFile(join(dir, "node_modules/embedq", name), content);
  }
}

async function saveFile(path: string, content: string): Promise<void> {
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, content);
}

/** A program on the PATH of the blocks. */
async function writeProgram(name: string, script: string): Promise<void> {
  await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`);
  await chmod(join(bin, name), 0o755);
}
