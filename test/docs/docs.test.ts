// What the documentation shows is true: the quick start runs as written, every example type-checks
// against the built package, every other block is of a kind that some test looks at, and links lead
// somewhere. How a block says that it is not run stands in examples.ts.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startRedis } from "../helpers/redis.ts";
import { type InstalledPackage, installPackage } from "../runtimes/package.ts";
import {
  allExamples,
  type Example,
  examplesInComments,
  examplesOf,
  markOf,
  ROOT,
  textOf,
} from "./examples.ts";
import { linkForUsers, run } from "./installed.ts";
import { checkDockerfile, checkIni, checkYaml } from "./syntax.ts";

const EXAMPLE_URL = "redis://127.0.0.1:6379";

let installed: InstalledPackage;
beforeAll(async () => {
  installed = await installPackage();
  await linkForUsers(installed.dir);
}, 300_000);
afterAll(() => installed[Symbol.asyncDispose]());

test.each(["bun", "node"])(
  "the quick start of the README runs as written on %s",
  async (runtime) => {
    await using redis = await startRedis();
    const quickStart = (await examplesOf("README.md")).find(({ language }) => language === "js");
    const code = quickStart?.code ?? "";
    expect(code).toContain(EXAMPLE_URL);
    const file = join(installed.dir, "quick-start.mjs");
    await writeFile(file, code.replaceAll(EXAMPLE_URL, redis.url));
    const { output, exitCode } = await run(installed.dir, runtime, file);
    expect(output).toContain("doc:1 has an embedding of 256 numbers");
    expect(exitCode).toBe(0);
  },
);

test("every TypeScript example of the pages, the doc comments and examples/ type-checks", async () => {
  const shown = [...(await allExamples()), ...(await examplesInComments())];
  const blocks = shown.filter(({ language }) => language === "ts");
  expect(blocks.length).toBeGreaterThan(20);
  const files: string[] = [];
  const add = async (name: string, code: string) => {
    files.push(name);
    await writeFile(join(installed.dir, name), code);
  };
  for (const [i, { from, code }] of blocks.entries()) {
    // A module of its own, also where a block has no imports.
    await add(`example-${i}.ts`, `// ${from}\n${code}\nexport {};\n`);
  }
  for (const name of await readdir(join(ROOT, "examples"))) {
    if (name.endsWith(".ts")) await add(name, await textOf(join("examples", name)));
  }
  const compilerOptions = {
    target: "ES2022",
    lib: ["ES2022", "DOM"],
    module: "ESNext",
    moduleResolution: "Bundler",
    strict: true,
    noEmit: true,
    // The types of the package itself are checked too.
    skipLibCheck: false,
    typeRoots: [join(ROOT, "node_modules/@types")],
    types: ["node"],
  };
  await writeFile(join(installed.dir, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
  const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
  const { output, exitCode } = await run(installed.dir, "node", tsc, "-p", installed.dir);
  expect(output).toBe("");
  expect(exitCode).toBe(0);
}, 300_000);

test("every JavaScript that a page shows as a file can be loaded", async () => {
  const shown = (await allExamples()).filter(
    ({ from, language }) => language === "js" && !from.startsWith("README.md"),
  );
  expect(shown.length).toBeGreaterThan(1);
  for (const [i, { from, code }] of shown.entries()) {
    await writeFile(join(installed.dir, `shown-${i}.mjs`), `// ${from}\n${code}`);
  }
  const imports = shown.map((_, i) => `await import("./shown-${i}.mjs");`).join("\n");
  const { output, exitCode } = await run(
    installed.dir,
    "node",
    "--input-type=module",
    "-e",
    imports,
  );
  expect(output).toBe("");
  expect(exitCode).toBe(0);
});

/** What is looked at here; the rest by the tests that are named. */
const CHECKS: Readonly<Record<string, (example: Example) => void>> = {
  // Types above; run: the quick start.
  ts: () => {},
  // Loaded above.
  js: () => {},
  // Run in shell.test.ts.
  sh: () => {},
  json: ({ code }) => expect(() => JSON.parse(code) as unknown).not.toThrow(),
  yaml: ({ code }) => checkYaml(code),
  ini: ({ code }) => checkIni(code),
  dockerfile: ({ code }) => checkDockerfile(code),
  // Run in languages.test.ts, or compared with the documented grammar in search.test.ts.
  redis: () => {},
  // Its syntax is looked at in languages.test.ts where there is a Python; Go is not on the machine.
  python: () => {},
  go: () => {},
  lua: () => {},
  text: () => {},
};

test("every block of every page is of a kind that is looked at", async () => {
  const faults: string[] = [];
  for (const example of await allExamples()) {
    const check = CHECKS[example.language];
    if (check === undefined) faults.push(`${example.from}: "${example.language}"`);
    else check(example);
    const why = markOf(example, "not run");
    if (why === "") faults.push(`${example.from}: not run, but why?`);
  }
  expect(faults).toEqual([]);
});

test("a block that shows a file shows all of it, as it is", async () => {
  let shown = 0;
  for (const example of await allExamples()) {
    const path = markOf(example, "file");
    if (path === undefined) continue;
    shown++;
    expect(`${example.from}\n${example.code}`).toBe(`${example.from}\n${await textOf(path)}`);
  }
  expect(shown).toBeGreaterThanOrEqual(4);
});
