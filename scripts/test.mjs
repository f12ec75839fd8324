// The whole of `npm test`: the gate's steps, the build, every test on a real Redis, and the package
// as others will get it. Goes on after failures; its last line has the totals. Arguments are passed
// to `bun test` and leave the other steps out: `npm test -- test/unit -t backoff`.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setUpPackages, setUpRedis, setUpTools } from "./setup.mjs";
import { PACKAGE_STEPS, run, runSteps, STATIC_STEPS } from "./steps.mjs";

/** The longest that one test may take, and all of them together. */
const TEST_TIMEOUT_MS = 120_000;
const ALL_TESTS_TIMEOUT_MS = 45 * 60_000;

const totals = { passed: 0, failed: 0, skipped: 0 };
const chosen = process.argv.slice(2);

if (setUpPackages()) {
  if (!setUpRedis()) totals.failed += 1;
  setUpTools();
  if (chosen.length === 0) {
    await countSteps(STATIC_STEPS);
    await countSteps([["build", "tsup"]]);
  }
  await countTests(chosen.length === 0 ? ["./test"] : chosen);
  if (chosen.length === 0) await countSteps(PACKAGE_STEPS);
} else {
  totals.failed += 1;
}

const { passed, failed, skipped } = totals;
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

async function countSteps(steps) {
  const failures = await runSteps(steps, { goOn: true });
  totals.failed += failures.length;
  totals.passed += steps.length - failures.length;
}

/** Runs bun's tests with their output passed on, and counts what its report says. */
async function countTests(args) {
  const folder = mkdtempSync(join(tmpdir(), "embedq-report-"));
  const report = join(folder, "junit.xml");
  const options = [
    `--timeout=${TEST_TIMEOUT_MS}`,
    "--reporter=junit",
    `--reporter-outfile=${report}`,
  ];
  const { ok, output } = await run(["bun", "test", ...options, ...args], {
    live: true,
    timeoutMs: ALL_TESTS_TIMEOUT_MS,
  });
  console.log(output.trimEnd());
  const counts = readReport(report);
  rmSync(folder, { recursive: true });
  // A crash, a file that does not load or an error between tests is in no report, only in the exit code.
  if (!ok && counts.failed === 0) counts.failed = 1;
  for (const key of Object.keys(totals)) totals[key] += counts[key];
}

function readReport(path) {
  try {
    const [root] = readFileSync(path, "utf8").match(/<testsuites [^>]*>/);
    const [tests, failed, skipped] = ["tests", "failures", "skipped"].map((name) =>
      Number(root.match(new RegExp(`\\b${name}="(\\d+)"`))[1]),
    );
    return { passed: tests - failed - skipped, failed, skipped };
  } catch (error) {
    console.log(`FAILED to read the report of bun test: ${error.message}`);
    return { passed: 0, failed: 1, skipped: 0 };
  }
}
