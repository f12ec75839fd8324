// What a worker counts, and how it tells Redis of it without losing anything.

import { expect, test } from "bun:test";
import { reportedTokens } from "../../src/model/contract.ts";
import { queueUsageOf, Usage, workerUsageOf } from "../../src/model/usage.ts";

const NOTHING = {
  calls: 0,
  texts: 0,
  tokens: 0,
  tokensEstimated: 0,
  batchFill: undefined,
  cacheHits: 0,
  deferrals: 0,
  failures: 0,
  dead: 0,
  claims: { size: 0, timer: 0, flush: 0, retry: 0 },
};

function added(usage: Usage): unknown {
  return JSON.parse(usage.take()?.added ?? "null");
}

test("a report names what was counted since the last one that was confirmed", () => {
  const usage = new Usage();
  expect(usage.take()).toBeUndefined();
  usage.add({ calls: 1, texts: 50, tokens: 700 });
  usage.add({ calls: 1, texts: 20, cacheHits: 3 });
  expect(added(usage)).toEqual({ calls: 2, texts: 70, tokens: 700, cacheHits: 3 });
  usage.confirm();
  expect(usage.take()).toBeUndefined();
  usage.add({ calls: 1 });
  expect(added(usage)).toEqual({ calls: 1 });
});

test("what was not confirmed is in the next report again", () => {
  const usage = new Usage();
  usage.add({ texts: 5 });
  expect(added(usage)).toEqual({ texts: 5 });
  usage.add({ texts: 2, deferrals: 1 });
  expect(added(usage)).toEqual({ texts: 7, deferrals: 1 });
});

test("what is counted while a report is under way belongs to the next", () => {
  const usage = new Usage();
  usage.add({ texts: 5 });
  usage.take();
  usage.add({ texts: 2 });
  usage.confirm();
  expect(added(usage)).toEqual({ texts: 2 });
});

test("claims are the worker's own figure: the claim script counts them for the queue", () => {
  const usage = new Usage();
  usage.noteClaim("timer");
  usage.noteClaim("timer");
  usage.noteClaim("retry");
  const report = usage.take();
  expect(report?.added).toBe("{}");
  expect(workerUsageOf(report?.own).claims).toEqual({ size: 0, timer: 2, flush: 0, retry: 1 });
});

const NO_COUNTS = [Number.NaN, Number.POSITIVE_INFINITY, -5, 1e12 + 1, 1e19, 1e308];

test.each([...NO_COUNTS, undefined])("%p counts as none", (tokens) => {
  const usage = new Usage();
  usage.add({ tokens });
  expect(usage.take()).toBeUndefined();
});

test.each([...NO_COUNTS, "5", null, undefined])("of %p tokens nothing is reported", (tokens) => {
  const usage = { tokens: tokens as number };
  expect(reportedTokens({ results: [], usage })).toBeUndefined();
});

test.each([0, 0.25, 1e12])("%p tokens are reported", (tokens) => {
  expect(reportedTokens({ results: [], usage: { tokens } })).toBe(tokens);
});

test("fractions are rounded: counters of Redis are whole", () => {
  const usage = new Usage();
  usage.add({ tokens: 1.6 });
  expect(added(usage)).toEqual({ tokens: 2 });
});

test("the batch fill is the mean over the calls", () => {
  const usage = new Usage();
  usage.add({ calls: 2, fillPermille: 1500 });
  expect(workerUsageOf(usage.take()?.own)).toEqual({ ...NOTHING, calls: 2, batchFill: 0.75 });
});

test.each([
  ["nothing", undefined],
  ["no JSON", "{"],
  ["no object", "7"],
  ["null", "null"],
  ["a list", "[1]"],
  ["other values", '{"calls":"many","texts":-1,"tokens":null,"size":{}}'],
])("a worker that has told %s has counted nothing", (_, json) => {
  expect(workerUsageOf(json)).toEqual(NOTHING);
});

test("a damaged counter of the queue counts as none, the others stay", () => {
  const fields = {
    calls: "2",
    fillPermille: "2000",
    texts: "rubbish",
    tokens: "-1",
    skipHits: "4",
  };
  expect(queueUsageOf(new Map(Object.entries(fields)))).toEqual({
    ...NOTHING,
    calls: 2,
    batchFill: 1,
    skipHits: 4,
  });
});
