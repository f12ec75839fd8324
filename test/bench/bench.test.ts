// The benchmark runs, with few texts and without the peers: scenarios measure embedq, verify what it
// stored, and the results are written, reported and drawn.

import { expect, test } from "bun:test";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Results } from "../../scripts/bench/results.ts";
import { SCENARIOS } from "../../scripts/bench/scenarios/index.ts";

const MAIN = join(import.meta.dir, "../../scripts/bench/main.ts");

async function bench(...args: string[]) {
  const child = Bun.spawn([process.execPath, MAIN, ...args], { stdout: "pipe", stderr: "pipe" });
  const [output, errors] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code: await child.exited, output, errors };
}

/** All on one runtime; on the others those that stand for different ways through embedq. */
const RUNS = [
  ["node", SCENARIOS.map(({ name }) => name), "raw,bare,replaced"],
  ["bun", ["enqueue-bulk", "drain", "waits", "reply-cpu"], "raw"],
  ["deno", ["enqueue-bulk", "drain", "waits", "reply-cpu"], "raw"],
] as const;

test.each(RUNS)(
  "measures embedq on %s",
  async (runtime, names, against) => {
    const scenarios = SCENARIOS.filter(({ name }) => names.some((one) => one === name));
    const folder = await mkdtemp(join(tmpdir(), "embedq-bench-"));
    try {
      const json = join(folder, "results.json");
      const chosen = ["--only", names.join(), "--runtime", runtime, "--against", against];
      const first = ["--quick", ...chosen, "--json", json];
      const { code, output, errors } = await bench(...first);
      expect({ code, errors: code === 0 ? "" : errors }).toEqual({ code: 0, errors: "" });
      const results = JSON.parse(await readFile(json, "utf8")) as Results;
      const measured = results.measurements.filter(({ contender }) => contender === "embedq");
      for (const { name, cases, metrics } of scenarios) {
        for (const form of cases) {
          const own = measured.filter((one) => one.scenario === name && one.form === form.name);
          expect(own.map(({ figures }) => Object.keys(figures ?? {}))).toEqual([
            Object.keys(metrics),
          ]);
        }
      }
      expect(results.commit).toMatch(/^([0-9a-f]{40}|unknown)/);

      const charts = join(folder, "charts");
      const again = await bench("--from", json, "--charts", charts);
      expect(again.code).toBe(0);
      // The report of the same results is the same; the names of the charts come after it.
      expect(again.output.startsWith(output.trimEnd())).toBe(true);
      const drawn = await readdir(charts);
      expect(drawn.toSorted()).toEqual(
        scenarios
          .flatMap(({ name, cases, metrics }) =>
            cases.flatMap((form) =>
              Object.keys(metrics).map((metric) => `${name}-${form.name}-${metric}.svg`),
            ),
          )
          .toSorted(),
      );
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
  240_000,
);

test("says what is wrong with its command line", async () => {
  const { code, errors } = await bench("--only", "enqeue");
  expect(code).toBe(2);
  expect(errors).toContain("No scenario enqeue. There are: enqueue-bulk,");
});
