// Five processes on three runtimes share one queue, from the package as it is published.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { vectorOf } from "../helpers/embedder.ts";
import { testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";
import { type InstalledPackage, installPackage } from "./package.ts";
import { type Helper, RUNTIMES, startHelper } from "./process.ts";
import { startProvider } from "./provider.ts";

const EACH = 1500;
const DIMENSIONS = 8;
/** So long that the calls under way, and not a runtime's speed, share the texts out. */
const LATENCY_MS = 150;
const PRODUCERS = ["node", "deno"] as const;

let installed: InstalledPackage;
beforeAll(async () => {
  installed = await installPackage();
}, 120_000);
afterAll(() => installed[Symbol.asyncDispose]());

test("workers on Bun, Deno and Node share the texts of two producers, each embedded once", async () => {
  await using scope = await testScope();
  await using provider = startProvider(DIMENSIONS, LATENCY_MS);
  await using stack = new AsyncDisposableStack();
  const { dir } = installed;

  const workers = RUNTIMES.map((runtime) =>
    stack.use(
      startHelper(
        runtime,
        "worker.mjs",
        [scope.url, scope.name, provider.url, `${DIMENSIONS}`],
        dir,
      ),
    ),
  );
  const ready = await Promise.all(workers.map((worker) => worker.hear("ready")));
  expect(ready.map(({ runtime }) => runtime)).toEqual([...RUNTIMES]);
  const producers = PRODUCERS.map((runtime) =>
    stack.use(
      startHelper(runtime, "producer.mjs", [scope.url, scope.name, runtime, `${EACH}`], dir),
    ),
  );
  const done = await Promise.all(
    producers.map((producer) => producer.hear("done", { timeoutMs: 60_000 })),
  );

  const texts = PRODUCERS.flatMap((prefix) =>
    Array.from({ length: EACH }, (_, i) => ({
      key: `${prefix}:${i}`,
      text: `${prefix} text ${i}`,
    })),
  );
  expect(done.map(({ runtime }) => runtime)).toEqual([...PRODUCERS]);
  expect(done.flatMap(({ outcomes }) => outcomes)).toEqual(
    texts.map(({ key, text }) => ({
      status: "embedded",
      key,
      version: expect.any(Number),
      superseded: false,
      vector: [...vectorOf(text, DIMENSIONS)],
    })),
  );
  for (const { key, text } of texts) {
    expect(await scope.vector(key)).toEqual([...vectorOf(text, DIMENSIONS)]);
  }
  expect(provider.texts).toEqual(new Map(texts.map(({ text }) => [text, 1])));
  const shares = Object.fromEntries(provider.shares);
  for (const runtime of RUNTIMES) {
    expect(shares[runtime] ?? 0, JSON.stringify(shares)).toBeGreaterThanOrEqual((2 * EACH) / 10);
  }
  await scope.untilEmpty();

  const all = [...producers, ...workers];
  expect(await Promise.all(all.map((one) => one.stop()))).toEqual(all.map(() => 0));
  await until(() => all.every(isGone), { what: "all processes to be gone" });
  expect(workers.flatMap(({ messages }) => messages.map(({ word }) => word))).toEqual(
    workers.map(() => "ready"),
  );
}, 90_000);

function isGone({ pid }: Helper): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}
