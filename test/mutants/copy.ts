// A copy of the sources and of their tests in a temporary folder, to be broken and run there.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Mutant, TestName } from "./mutant.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const TESTS = [
  "helpers",
  "protocol",
  "complaints",
  "outages",
  "batches",
  "fault",
  "story",
  "takeover",
  // What those use.
  "providers",
  "budget",
  "runtimes",
].map((folder) => `test/${folder}`);
const COPIED = ["package.json", "src", ...TESTS];

/** A run that hangs is ended; the slowest takes about two seconds when nothing else runs. */
const RUN_TIMEOUT_MS = 120_000;
const TEST_TIMEOUT_MS = 30_000;

/** What one run of a test said. */
export interface Report {
  readonly passed: number;
  readonly failed: number;
  /** How the first failed test failed: the class of what was thrown, and its message. */
  readonly failure: { readonly type: string; readonly message: string } | undefined;
  readonly output: string;
}

class Copy {
  readonly #dir: string;

  private constructor(dir: string) {
    this.#dir = dir;
  }

  static async make(): Promise<Copy> {
    const dir = await mkdtemp(join(tmpdir(), "embedq-mutant-"));
    for (const path of COPIED) await cp(join(ROOT, path), join(dir, path), { recursive: true });
    await symlink(join(ROOT, "node_modules"), join(dir, "node_modules"), "dir");
    return new Copy(dir);
  }

  /** @throws Where the text to be replaced does not occur exactly once. */
  async break({ file, from, to }: Mutant): Promise<void> {
    const path = join(this.#dir, "src", file);
    const source = await readFile(path, "utf8");
    const found = source.split(from).length - 1;
    if (found !== 1) {
      throw new Error(`"${from}" must occur once in src/${file}: it occurs ${found} times`);
    }
    await writeFile(
      path,
      source.replace(from, () => to),
    );
  }

  /** Runs the tests of a file that have exactly these names. */
  async run(file: string, names: readonly string[]): Promise<Report> {
    const report = join(this.#dir, "report.xml");
    const args = [
      ["test", `./test/${file}.test.ts`],
      ["-t", `^(${names.map(escapeRegExp).join("|")})$`],
      [`--timeout=${TEST_TIMEOUT_MS}`, "--reporter=junit", `--reporter-outfile=${report}`],
    ].flat();
    const output = await run(process.execPath, args, this.#dir);
    return readReport(await readFile(report, "utf8").catch(() => ""), output);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return rm(this.#dir, { recursive: true, force: true });
  }
}

/** Runs one test in a broken copy. */
export async function runMutant(mutant: Mutant): Promise<Report> {
  await using copy = await Copy.make();
  await copy.break(mutant);
  return await copy.run(mutant.caughtBy.file, [mutant.caughtBy.test]);
}

/** Runs tests of one file in a copy that is not broken. */
export async function runControl(tests: readonly TestName[]): Promise<Report> {
  await using copy = await Copy.make();
  const names = tests.map(({ test }) => test);
  return await copy.run(tests[0]?.file ?? "", names);
}

async function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  const child = spawn(command, args, {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: RUN_TIMEOUT_MS,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk;
    });
  }
  await once(child, "close");
  return output;
}

/** Reads bun's JUnit report; a file that did not load has none. */
function readReport(xml: string, output: string): Report {
  const [totals = ""] = /<testsuites [^>]*>/.exec(xml) ?? [];
  const count = (name: string) => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(totals)?.[1] ?? 0);
  const failed = count("failures");
  const [, type, message = ""] = /<failure type="([^"]*)"(?: message="([^"]*)")?/.exec(xml) ?? [];
  return {
    passed: count("tests") - count("skipped") - failed,
    failed,
    failure: type === undefined ? undefined : { type, message },
    output,
  };
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
