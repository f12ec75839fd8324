// A Redis that lets nobody in says what it wants, also where its own words say nothing.

import { expect, test } from "bun:test";
import { startRedis } from "../helpers/redis.ts";
import { cli } from "./run.ts";

test("without a password, and with a wrong one, a hint says where it belongs", async () => {
  await using redis = await startRedis({ args: ["--requirepass", "s3cret"] });
  const without = await cli(["stats", "--redis", redis.url]);
  expect(without.stderr).toContain("hint: Redis wants a password: put it in REDIS_URL");
  const url = redis.url.replace("redis://", "redis://:guessed@");
  const wrong = await cli(["stats", "--redis", url]);
  expect(wrong.stderr).toContain("hint: look at user and password in REDIS_URL or --redis");
  expect(wrong.stderr).not.toContain("guessed");
  expect([without.code, wrong.code]).toEqual([1, 1]);
});
