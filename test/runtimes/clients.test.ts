// The packed package takes a client of each version of node-redis on each runtime.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
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

describe.each(["redis", "redis-5", "redis-6"])("%s", (version) => {
  test.each([...RUNTIMES])(
    "a handed-in client does the whole way on %s",
    async (runtime) => {
      await using scope = await testScope();
      await using helper = startHelper(
        runtime,
        "handed-in.mjs",
        [scope.url, scope.name, version, "doc:ü", TEXT],
        installed.dir,
      );
      const embedder = hashing({ dimensions: 64 });
      const [vector] = await embedder.embed([TEXT], { signal: new AbortController().signal });
      const numbers = [...(vector as Float32Array)];
      expect(await helper.hear("done")).toEqual({
        word: "done",
        runtime,
        vector: numbers,
        flushed: { done: true, remaining: 0 },
      });
      expect(await scope.vector("doc:ü")).toEqual(numbers);
      await scope.expectEmpty();
      expect(await helper.stop()).toBe(0);
      expect(await helper.hear("stopped")).toMatchObject({ isReady: true });
    },
    30_000,
  );
});
