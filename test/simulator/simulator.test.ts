// Random schedules of the protocol, other ones in each run. A failure names its seed and schedule:
// EMBEDQ_SEED=<seed> repeats the run, and the printed command shows one schedule step by step.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { type RedisServer, startRedis } from "../helpers/redis.ts";
import { simulate } from "./simulator.ts";
import type { Mode } from "./world.ts";

/** Schedules in a test: 10 to 20 seconds of a machine that has other things to do as well. */
const PAGE = 250;
/** Pages in each mode. */
const PAGES: Readonly<Record<Mode, number>> = { plain: 5, damage: 2, killer: 2 };

const seed = Number(process.env["EMBEDQ_SEED"] ?? Math.floor(Math.random() * 1e6));

let server: RedisServer;
beforeAll(async () => {
  console.log(`simulator: EMBEDQ_SEED=${seed}`);
  server = await startRedis();
});
afterAll(async () => {
  await server.stop();
});

for (const mode of ["plain", "damage", "killer"] as const) {
  for (let page = 0; page < PAGES[mode]; page++) {
    const first = page * PAGE;
    test(`${mode} schedules ${first} to ${first + PAGE - 1}`, async () => {
      const { violating, firstViolation } = await simulate({
        url: server.url,
        seed,
        mode,
        schedules: PAGE,
        first,
      });
      const { schedule, violations } = firstViolation ?? {};
      const again = `bun scripts/simulate.ts --seed ${seed} --mode ${mode} --first ${schedule} --schedules 1 --verbose`;
      expect(violations ?? [], again).toEqual([]);
      expect(violating).toBe(0);
    });
  }
}
