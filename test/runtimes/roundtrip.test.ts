// The packed package does the whole way of a text alone on each runtime, with the same result.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { VERSION } from "../../src/index.ts";
import { hashing } from "../../src/providers/index.ts";
import { testScope } from "../helpers/scope.ts";
import { type InstalledPackage, installPackage } from "./package.ts";
import { RUNTIMES, startHelper } from "./process.ts";

const TEXT = "Grüße, 世界: streams keep order";

let installed: InstalledPackage;
beforeAll(async () => {
  installed = await installPackage();
}, 120_000);
afterAll(() => installed[Symbol.asyncDispose]());

for (const runtime of RUNTIMES) {
  test(`a text is enqueued, embedded, waited for and read on ${runtime}`, async () => {
    await using scope = await testScope();
    await using helper = startHelper(
      runtime,
      "roundtrip.mjs",
      [scope.url, scope.name, "doc:ü", TEXT],
      installed.dir,
    );
    const embedder = hashing({ dimensions: 64 });
    const [vector] = await embedder.embed([TEXT], { signal: new AbortController().signal });
    const numbers = [...(vector as Float32Array)];

    const done = await helper.hear("done");
    expect(done).toEqual({
      word: "done",
      runtime,
      version: VERSION,
      vector: numbers,
      flushed: { done: true, remaining: 0 },
    });
    expect(await scope.vector("doc:ü")).toEqual(numbers);
    await scope.expectEmpty();
    // It ends by itself: nothing of embedq keeps the process alive.
    expect(await helper.stop()).toBe(0);
  }, 30_000);
}
