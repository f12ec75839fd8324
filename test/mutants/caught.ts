// Runs every mutant of a table, and the tests that catch them where nothing is broken.

import { beforeAll, expect, test } from "bun:test";
import { type Report, runControl, runMutant } from "./copy.ts";
import type { Mutant, TestName } from "./mutant.ts";

/** Runs at the same time: each keeps a bun and a redis-server busy. */
const LANES = 2;
const TIMEOUT_MS = 180_000;

/** A failed assertion, `until` at its end, or a wait at its own: not a broken program. */
function isVerdict({ type, message }: { readonly type: string; readonly message: string }) {
  return type === "AssertionError" || /^waited \d+ ms for|took longer than timeoutMs/.test(message);
}

/** Declares a test for each mutant, and one for each file of tests that catch them. */
export function expectAllCaught(mutants: readonly Mutant[]): void {
  const controls = Map.groupBy(
    mutants.map(({ caughtBy }) => caughtBy),
    ({ file }) => file,
  );

  /** Every run, begun in order, a few at a time; a test awaits its own. */
  const reports = new Map<string, Promise<Report>>();
  beforeAll(() => {
    const lanes: Promise<unknown>[] = Array.from({ length: LANES }, () => Promise.resolve());
    let begun = 0;
    const begin = (name: string, run: () => Promise<Report>) => {
      const lane = begun++ % LANES;
      const report = (lanes[lane] as Promise<unknown>).then(run);
      lanes[lane] = report.catch(() => {});
      reports.set(name, report);
    };
    for (const [file, tests] of controls) begin(controlOf(file), () => runControl(distinct(tests)));
    for (const mutant of mutants) begin(mutant.name, () => runMutant(mutant));
  });

  test("each mutant has a name of its own", () => {
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
  });

  for (const [file, tests] of controls) {
    test(
      controlOf(file),
      async () => {
        const { passed, failed, output } = (await reports.get(controlOf(file))) as Report;
        expect({ passed, failed }, output).toEqual({ passed: distinct(tests).length, failed: 0 });
      },
      TIMEOUT_MS,
    );
  }

  for (const { name, caughtBy } of mutants) {
    test(
      `caught: ${name}`,
      async () => {
        const { passed, failed, failure, output } = (await reports.get(name)) as Report;
        expect({ passed, failed }, `${caughtBy.file}: ${caughtBy.test}\n${output}`).toEqual({
          passed: 0,
          failed: 1,
        });
        expect(failure !== undefined && isVerdict(failure), output).toBe(true);
      },
      TIMEOUT_MS,
    );
  }
}

function controlOf(file: string): string {
  return `without a breakage the tests of ${file} pass`;
}

function distinct(tests: readonly TestName[]): TestName[] {
  return [...new Map(tests.map((each) => [each.test, each])).values()];
}
