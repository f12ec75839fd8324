// `embedq stats`: what people read, and that it is all there.

import { expect, test } from "bun:test";
import { EmbedderError } from "../../src/index.ts";
import { queueUsageOf } from "../../src/model/usage.ts";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { items, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";
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
  expect(linesFrom(stdout, "calls").slice(0, 6)).toEqual([
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
  const [calls, texts, tokens] = linesFrom(stdout, "calls");
  expect([calls, texts, tokens]).toEqual(["calls      0", "texts      0", "tokens     0"]);
  expect(stdout).toContain(`queue      ${scope.name} at 127.0.0.1:`);
  expect(stdout).toContain("model      not chosen yet");
});

test("embedq stats says what waiting texts wait for: a worker, or company", async () => {
  await using scope = await testScope();
  const queue = await scope.queue({ flushIntervalMs: 3_600_000 });
  await queue.enqueueMany(items(3));
  const state = async () => {
    const { stdout } = await cli(["stats", "--redis", scope.url, "--name", scope.name]);
    return linesFrom(stdout, "state")[0];
  };
  expect(await state()).toContain("running, but no worker is there");
  await scope.worker({ embedder: new FakeEmbedder() });
  await queue.flushAndWait();
  await queue.enqueueMany(items(2, "late"));
  expect(await state()).toMatch(/^state {6}running; a batch starts at 50 texts or in (1 h|59)/);
});

test("embedq stats says why no calls are made, of all workers and of one", async () => {
  await using scope = await testScope();
  const queue = await scope.queue();
  const embedder = new FakeEmbedder();
  embedder.next(() => {
    throw new EmbedderError("fatal", "HTTP 401: no such key", { retryAfterMs: 60_000 });
  });
  await scope.worker({ embedder });
  await queue.enqueueMany(items(2));
  await queue.flushNow();
  const isPaused = async () => (await queue.stats()).workers[0]?.pause !== undefined;
  await until(isPaused, { what: "the worker's pause" });
  const args = ["stats", "--redis", scope.url, "--name", scope.name];
  const { stdout } = await cli(args);
  expect(stdout).toMatch(/\n {4}paused for .*: HTTP 401: no such key\n/);
  expect(stdout).toContain("model      fake-1, 4 dimensions");
  const { json } = await cli([...args, "--json"]);
  expect(json).toMatchObject({ queue: scope.name, model: "fake-1", dimensions: 4, pending: 2 });
});

/** The lines from the one that begins with a word. */
function linesFrom(text: string, word: string): string[] {
  const lines = text.split("\n");
  return lines.slice(lines.findIndex((line) => line.startsWith(word)));
}
