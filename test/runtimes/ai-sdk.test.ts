// The real AI SDK, three generations of it, on each runtime, with the package as it is published.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { testScope } from "../helpers/scope.ts";
import { EDGES, numbersOf, tokensIn } from "../providers/servers/numbers.ts";
import { API_KEY, openAIError, startOpenAI } from "../providers/servers/openai.ts";
import { type InstalledPackage, installPackage } from "./package.ts";
import { RUNTIMES, startHelper } from "./process.ts";

const GENERATIONS = [
  { specification: "v2", sdk: "ai-5", provider: "ai-sdk-openai-2" },
  { specification: "v3", sdk: "ai-6", provider: "ai-sdk-openai-3" },
  { specification: "v4", sdk: "ai-7", provider: "ai-sdk-openai-4" },
] as const;

const FAULTS = [
  openAIError(429, "slower", {}, { "retry-after": "90" }),
  openAIError(401, "Incorrect API key provided", { code: "invalid_api_key" }),
  openAIError(400, "'$.input' is invalid.", { param: "input" }),
  openAIError(503, "overloaded"),
  { status: 200, body: "<html>Who are you?</html>" },
  "cut",
] as const;

const SORTED = [
  ["rateLimited", "worker", 90_000],
  ["fatal", "worker", null],
  ["rejected", "worker", null],
  ["unavailable", "worker", null],
  ["unavailable", "worker", null],
  ["unavailable", "worker", null],
];

let installed: InstalledPackage;
beforeAll(async () => {
  installed = await installPackage();
  const modules = join(import.meta.dir, "../../node_modules");
  for (const name of GENERATIONS.flatMap(({ sdk, provider }) => [sdk, provider])) {
    await symlink(join(modules, name), join(installed.dir, "node_modules", name));
  }
}, 120_000);
afterAll(() => installed[Symbol.asyncDispose]());

describe.each(RUNTIMES)("on %s", (runtime) => {
  test.each(GENERATIONS)(
    "$sdk with $provider: vectors, refusals, an abort, and a queue",
    async ({ specification, sdk, provider }) => {
      await using scope = await testScope();
      await using server = await startOpenAI();
      await using faulty = await startOpenAI();
      faulty.next(...FAULTS).always("hang");
      const settings = [scope.url, scope.name, server.url, faulty.url, API_KEY];
      await using helper = startHelper(
        runtime,
        "ai-sdk.mjs",
        [...settings, sdk, provider, String(FAULTS.length)],
        installed.dir,
      );

      const vectors = await helper.hear("vectors");
      const values = vectors["values"] as string[];
      const right = values.map((text) => [...Float32Array.from(numbersOf(text, 64, EDGES))]);
      expect(vectors).toMatchObject({ runtime, specification, ours: right, theirs: right });
      const tokens = values.reduce((sum, text) => sum + tokensIn(text), 0);
      expect(vectors["usage"]).toEqual({ tokens });
      expect(await helper.hear("errors")).toMatchObject({ errors: SORTED });
      expect(await helper.hear("aborted")).toMatchObject({ withReason: true });
      expect(await helper.hear("done")).toMatchObject({ vector: right[0] });
      expect(await scope.vector("doc:1")).toEqual(right[0] as number[]);
      expect(server.violations).toEqual([]);
      expect(await helper.stop()).toBe(0);
    },
    60_000,
  );
});
