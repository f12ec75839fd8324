// The steps of the gate and of the tests, and how one is run. A step is a name and a command line.

import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** What needs nothing but the sources, in an order that pairs a slow step with quick ones. */
export const STATIC_STEPS = [
  ["format and lint", "biome check --error-on-warnings ."],
  ["types of src", "tsc -p tsconfig.json"],
  ["async lint", "eslint --max-warnings 0 src test scripts"],
  ["types of test and scripts", "tsc -p tsconfig.dev.json"],
  ["layers", "bun scripts/layers.ts"],
  ["exports", "bun scripts/exports.ts"],
  ["rules of jsr", "deno lint --rules-tags=jsr src"],
  ["table of options", "bun scripts/options.ts --check"],
  ["page of commands", "bun scripts/cli-docs.ts --check"],
  ["script for other languages", "bun scripts/enqueue-lua.ts --check"],
];

/** What looks at the package as others will get it; needs the build. */
export const PACKAGE_STEPS = [
  ["publint", "publint --strict"],
  ["are the types wrong", "attw --profile esm-only --pack ."],
  ["unused code", "knip"],
  ["jsr package", "deno publish --dry-run --allow-dirty"],
  ["types on deno", "deno check src"],
  ["docs of jsr", "deno doc --lint src/index.ts src/providers/index.ts"],
];

/** A step that hangs is ended; the slowest, are-the-types-wrong, takes about ten seconds. */
const STEP_TIMEOUT_MS = 300_000;

/**
 * Runs a command line from the root of the checkout, with the installed tools on PATH.
 *
 * @param {string[]} words The command and its arguments.
 * @param {{ live?: boolean, timeoutMs?: number }} options `live` passes the output straight on.
 * @returns {Promise<{ ok: boolean, output: string, seconds: string }>}
 */
export function run(words, { live = false, timeoutMs = STEP_TIMEOUT_MS } = {}) {
  const [command, ...args] = words;
  const start = performance.now();
  const child = spawn(command, args, {
    cwd: ROOT,
    env: {
      ...process.env,
      PATH: [join(ROOT, "node_modules/.bin"), process.env.PATH].join(delimiter),
    },
    stdio: live ? ["ignore", "inherit", "inherit"] : ["ignore", "pipe", "pipe"],
    timeout: timeoutMs,
  });
  let output = "";
  const keep = (chunk) => {
    output += chunk;
  };
  child.stdout?.setEncoding("utf8").on("data", keep);
  child.stderr?.setEncoding("utf8").on("data", keep);
  return new Promise((resolve) => {
    const finish = (ok) =>
      resolve({ ok, output, seconds: ((performance.now() - start) / 1000).toFixed(1) });
    child.on("error", (error) => {
      output += `${error.message}\n`;
      finish(false);
    });
    child.on("close", (code, signal) => {
      if (signal !== null) output += `ended by ${signal}\n`;
      finish(code === 0);
    });
  });
}

/**
 * Runs steps two at a time, in their order, and prints one line for each, with the output of
 * those that fail.
 *
 * @param {string[][]} steps Name and command line of each.
 * @param {{ goOn?: boolean }} options Whether to go on after a failure.
 * @returns {Promise<string[]>} The names of the steps that failed.
 */
export async function runSteps(steps, { goOn = false } = {}) {
  const waiting = [...steps];
  const failed = [];
  const lane = async () => {
    while (waiting.length > 0 && (goOn || failed.length === 0)) {
      const [name, line] = waiting.shift();
      const { ok, output, seconds } = await run(line.split(" "));
      console.log(`${ok ? "ok    " : "FAILED"} ${name} (${seconds} s)`);
      if (ok) continue;
      failed.push(name);
      console.log(`${output.trimEnd()}\n       ^ ${line}`);
    }
  };
  await Promise.all([lane(), lane()]);
  return failed;
}
