// `embedq stats`: what people read, and that it is all there.

import { expect, test } from "bun:test";
import { COMMANDS } from "../../src/cli/commands.ts";
import { queueUsageOf } from "../../src/model/usage.ts";
import { testScope } from "../helpers/scope.ts";

const stats = COMMANDS.find(({ name }) => name === "stats");

test("embedq stats shows what was counted, in words, and the same as data", async () => {
  await using scope = await testScope();
  const queue = await scope.queue();
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
  const answer = await stats?.run(queue, []);
  expect(answer?.lines.slice(9)).toEqual([
    "calls            4, filled 85 %",
    "texts            170",
    "tokens           2000, of these 500 estimated",
    "saved            12 by the cache, 30 unchanged",
    "failures         3, deferred 7, given up 1",
    "claims           size 3, timer 0, flush 2, retry 0",
  ]);
  expect(answer?.data).toMatchObject({ usage: queueUsageOf(new Map(Object.entries(fields))) });
});

test("embedq stats of a new queue shows zeros, and no share of nothing", async () => {
  await using scope = await testScope();
  const answer = await stats?.run(await scope.queue(), []);
  expect(answer?.lines.slice(9, 12)).toEqual([
    "calls            0, filled -",
    "texts            0",
    "tokens           0",
  ]);
});
