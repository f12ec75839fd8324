// `embedq stats`: what people read, and that it is all there.

import { expect, test } from "bun:test";
import { queueUsageOf } from "../../src/model/usage.ts";
import { testScope } from "../helpers/scope.ts";
import { cli } from "./run.ts";

test("embedq stats shows what was counted, in words, and the same as data", async () => {
  await using scope = await testScope();
  await scope.queue();
  const fields = {
    calls: "4",
    fillPermille: "3400",
    texts: "170",
    tokens: "2000",
    tokensEstimated: "500",
    cacheHits: "12",
    skipHits: "30",
    failures: "3",
    deferrals: "7",
    dead: "1",
    size: "3",
    flush: "2",
  };
  await scope.client.hSet(scope.keys.usage, fields);
  const args = ["stats", "--redis", scope.url, "--name", scope.name];
  const { stdout, code } = await cli(args);
  expect(code).toBe(0);
  expect(stdout.split("\n").slice(6, 12)).toEqual([
    "calls      4, filled 85 %",
    "texts      170",
    "tokens     2,000, of these 500 estimated",
    "saved      12 by the cache, 30 unchanged",
    "failures   3, deferred 7, given up 1",
    "claims     size 3, timer 0, flush 2, retry 0",
  ]);
  const { json } = await cli([...args, "--json"]);
  expect(json).toMatchObject({ usage: queueUsageOf(new Map(Object.entries(fields))) });
});

test("embedq stats of a new queue shows zeros, and no share of nothing", async () => {
  await using scope = await testScope();
  await scope.queue();
  const { stdout } = await cli(["stats", "--redis", scope.url, "--name", scope.name]);
  expect(stdout.split("\n").slice(6, 9)).toEqual(["calls      0", "texts      0", "tokens     0"]);
});
