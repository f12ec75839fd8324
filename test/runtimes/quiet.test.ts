// A process that uses embedq has its standard error for itself.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { testScope } from "../helpers/scope.ts";
import { type InstalledPackage, installPackage } from "./package.ts";
import { RUNTIMES, startHelper } from "./process.ts";

let installed: InstalledPackage;
beforeAll(async () => {
  installed = await installPackage();
}, 120_000);
afterAll(() => installed[Symbol.asyncDispose]());

for (const runtime of RUNTIMES) {
  test(`32 calls at once, of which many wait for the budget, make ${runtime} say nothing`, async () => {
    await using scope = await testScope();
    const args = [scope.url, scope.name];
    await using helper = startHelper(runtime, "crowd.mjs", args, installed.dir);
    const { peak, waits } = await helper.hear("done");
    expect(peak).toBeGreaterThan(10);
    expect(waits).toBeGreaterThan(10);
    // Fails where anything was written to the standard error.
    expect(await helper.stop()).toBe(0);
  }, 60_000);
}
