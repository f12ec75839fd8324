// Where the time goes in one scenario of embedq: V8's profile of the process that measures, and how
// long Redis was busy with which command.

import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { RedisServer } from "../../test/helpers/redis.ts";
import type { BenchOptions } from "./options.ts";
import type { Redis } from "./redis.ts";
import { COMMANDS, entriesOf, orderOf, runChild } from "./runner.ts";
import { scenarioNamed } from "./scenarios/index.ts";

const TOP = 25;

interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      readonly lineNumber: number;
    };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Profiles every case of a scenario with each contender that was asked for, on Node. */
export async function profile(
  name: string,
  options: BenchOptions,
  child: string,
  server: RedisServer,
  redis: Redis,
): Promise<void> {
  const scenario = scenarioNamed(name);
  for (const form of scenario.cases) {
    const entries = entriesOf(form, { ...options, runtimes: ["node"] });
    for (const entry of entries) {
      if (options.contenders === undefined && !entry.contender.startsWith("embedq")) continue;
      const folder = join(
        import.meta.dirname,
        "results",
        `${name}-${form.name}-${entry.contender}`,
      );
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { recursive: true });
      await redis.empty();
      await redis.send("CONFIG", "RESETSTAT");
      const [program = "", ...flags] = COMMANDS.node;
      const profiled = [program, ...flags, "--cpu-prof", `--cpu-prof-dir=${folder}`];
      const order = orderOf(scenario, form, entry, server.url);
      const done = await runChild(profiled, child, order);
      console.log(
        `\n${name} ${form.name}, ${entry.contender}, ${entry.items} texts: ${JSON.stringify(done)}`,
      );
      console.log(await redisCosts(redis));
      for (const file of readdirSync(folder)) {
        const path = join(folder, file);
        console.log(
          `${path}\n${topFunctions(JSON.parse(readFileSync(path, "utf8")) as CpuProfile)}`,
        );
      }
    }
  }
}

/** Commands by the time that Redis spent in them; a script's time contains that of its commands. */
async function redisCosts(redis: Redis): Promise<string> {
  const lines = (await redis.text("INFO", "commandstats")).trim().split("\r\n").slice(1);
  const costs = lines.map((line) => {
    const [, name = "", calls = "0", us = "0"] =
      /^cmdstat_([^:]+):calls=(\d+),usec=(\d+)/.exec(line) ?? [];
    return { name, calls: Number(calls), ms: Number(us) / 1000 };
  });
  return costs
    .toSorted((a, b) => b.ms - a.ms)
    .slice(0, TOP / 2)
    .map(
      ({ name, calls, ms }) =>
        `${ms.toFixed(1).padStart(9)} ms  ${String(calls).padStart(8)} × ${name}`,
    )
    .join("\n");
}

/** Functions by the time that was spent in themselves. */
function topFunctions({ nodes, samples, timeDeltas }: CpuProfile): string {
  const places = new Map(
    nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => {
      const file = url.split("/").slice(-3).join("/");
      return [id, `${functionName || "(anonymous)"} ${file}:${lineNumber + 1}`];
    }),
  );
  const costs = new Map<string, number>();
  let total = 0;
  for (const [i, id] of samples.entries()) {
    const place = places.get(id) ?? "";
    const us = timeDeltas[i] ?? 0;
    total += us;
    costs.set(place, (costs.get(place) ?? 0) + us);
  }
  return [...costs]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, TOP)
    .map(([place, us]) => {
      const share = ((us / total) * 100).toFixed(1).padStart(5);
      return `${share} %  ${(us / 1000).toFixed(0).padStart(6)} ms  ${place}`;
    })
    .join("\n");
}
