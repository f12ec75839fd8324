// What the simulator is worth: it catches protocols that are wrong in one place.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { type RedisServer, startRedis } from "../helpers/redis.ts";
import { MUTANTS } from "./mutants.ts";
import { simulate } from "./simulator.ts";

/** Fixed, so that a mutant that is caught today is caught tomorrow. */
const SEED = 1;

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(async () => {
  await server.stop();
});

for (const mutant of MUTANTS) {
  const { name, mode, within } = mutant;
  test(`catches ${name} within ${within} ${mode} schedules`, async () => {
    const { violating, firstViolation } = await simulate({
      url: server.url,
      seed: SEED,
      mode,
      mutant,
      schedules: within,
      stopsEarly: true,
    });
    expect(violating).toBe(1);
    // Caught by a rule, not by a script that does not run.
    expect(firstViolation?.violations.map(({ kind }) => kind)).not.toContain("error");
  });
}
