// What the queue has agreed on, beside what this process would come with.

import { expect, test } from "bun:test";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { failure, testScope } from "../helpers/scope.ts";
import { diagnoseScope, of, WELL_SET_UP } from "./findings.ts";

test("another model in the settings is a problem; so are other dimensions and another task", async () => {
  await using scope = await testScope({ args: WELL_SET_UP });
  await scope.queue({ model: "small-1", dimensions: 8 });
  const embedder = new FakeEmbedder({ model: "large-2", dimensions: 4, task: "search" });
  expect(await failure(scope.newQueue({ embedder }).start())).toMatchObject({
    code: "ERR_SETTINGS_CONFLICT",
  });
  const diagnosis = await diagnoseScope(scope, { embedder });
  expect(diagnosis.isHealthy).toBe(false);
  const [finding] = of(diagnosis, "settings");
  expect(finding).toMatchObject({ level: "problem" });
  for (const part of ["`model` is small-1", "large-2", "`dimensions` is 8", "`task` is empty"]) {
    expect(finding?.found).toContain(part);
  }
  expect(finding?.advice).toContain('--model "large-2" --dimensions 4 --task "search"');
  const named = await diagnoseScope(scope, { model: "small-1", dimensions: 9 });
  expect(of(named, "settings")[0]?.found).toContain("`dimensions` is 8, this process asks for 9");
  const same = await diagnoseScope(scope, { model: "small-1", dimensions: 8 });
  expect(of(same, "settings")).toMatchObject([{ level: "ok" }]);
});

test("a newer protocol, and a number that is none, are told", async () => {
  await using scope = await testScope({ args: WELL_SET_UP });
  expect(of(await diagnoseScope(scope), "settings")).toMatchObject([{ level: "note" }]);
  await scope.client.hSet(scope.keys.settings, { protocol: "1", leaseMs: "soon" });
  const [odd] = of(await diagnoseScope(scope), "settings");
  expect(odd).toMatchObject({ level: "warning" });
  expect(odd?.found).toContain("`leaseMs` is no number");
  await scope.client.hSet(scope.keys.settings, { protocol: "2" });
  const [newer] = of(await diagnoseScope(scope), "settings");
  expect(newer).toMatchObject({ level: "problem" });
  expect(newer?.advice).toContain("Update embedq");
});
