// What the documentation shows is true: the quick start runs as written, every example type-checks
// against the built package.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startRedis } from "../helpers/redis.ts";
import { type InstalledPackage, installPackage } from "../runtimes/package.ts";
import { examplesInComments, examplesOf } from "./examples.ts";

const ROOT = join(import.meta.dir, "../..");
const EXAMPLE_URL = "redis://127.0.0.1:6379";

let installed: InstalledPackage;
beforeAll(async () => {
  installed = await installPackage();
}, 120_000);
afterAll(() => installed[Symbol.asyncDispose]());

test.each(["bun", "node"])(
  "the quick start of the README runs as written on %s",
  async (runtime) => {
    await using redis = await startRedis();
    const [quickStart] = await examplesOf("README.md");
    expect(quickStart?.language).toBe("js");
    const code = quickStart?.code ?? "";
    expect(code).toContain(EXAMPLE_URL);
    const file = join(installed.dir, "quick-start.mjs");
    await writeFile(file, code.replaceAll(EXAMPLE_URL, redis.url));
    const { output, exitCode } = await run(installed.dir, runtime, file);
    expect(output).toContain("doc:1 has an embedding of 256 numbers");
    expect(exitCode).toBe(0);
  },
);

test("every TypeScript example of the README, the guides and the doc comments type-checks", async () => {
  const pages = [
    "README.md",
    "docs/providers.md",
    "docs/changing-the-model.md",
    "docs/guides/compatibility.md",
  ];
  const inPages = await Promise.all(pages.map(examplesOf));
  const shown = [...inPages.flat(), ...(await examplesInComments())];
  const examples = shown.filter(({ language }) => language === "ts");
  expect(examples.length).toBeGreaterThan(8);
  const files: string[] = [];
  for (const [i, { from, code }] of examples.entries()) {
    const name = `example-${i}.ts`;
    files.push(name);
    await writeFile(join(installed.dir, name), `// ${from}\n${code}`);
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
    types: [],
  };
  await writeFile(join(installed.dir, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
  const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
  const { output, exitCode } = await run(installed.dir, "node", tsc, "-p", installed.dir);
  expect(output).toBe("");
  expect(exitCode).toBe(0);
}, 120_000);

async function run(
  cwd: string,
  ...command: string[]
): Promise<{ output: string; exitCode: number }> {
  const [program = "", ...args] = command;
  const executable = program === "bun" ? process.execPath : program;
  const child = Bun.spawn([executable, ...args], { cwd, stdout: "pipe", stderr: "pipe" });
  const [out, errors, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { output: out + errors, exitCode };
}
