// Events of finished texts: whether they are heard, also where CONFIG may not be asked.

import { expect, test } from "bun:test";
import { testScope } from "../helpers/scope.ts";
import { diagnoseScope, of, urlAs, WELL_SET_UP } from "./findings.ts";

const NO_CONFIG = ["--rename-command", "CONFIG", ""];

test("flags that lack are a warning, and fix adds them to those of others", async () => {
  await using scope = await testScope({ args: ["--notify-keyspace-events", "El"] });
  const before = await diagnoseScope(scope);
  const [finding] = of(before, "notifications");
  expect(finding).toMatchObject({ level: "warning", isFixable: true });
  expect(finding?.found).toContain('"lE"');
  expect(of(await diagnoseScope(scope, { fix: true }), "notifications")).toMatchObject([
    { fixed: true },
  ]);
  expect(of(await diagnoseScope(scope), "notifications")).toMatchObject([{ level: "ok" }]);
  const { "notify-keyspace-events": flags } =
    await scope.client.configGet("notify-keyspace-events");
  expect([...(flags ?? "")].toSorted().join("")).toBe("EKhl");
});

test("with CONFIG renamed away, events that are off are found by listening", async () => {
  await using scope = await testScope({ args: [...NO_CONFIG, "--appendonly", "yes"] });
  const [finding] = of(await diagnoseScope(scope, { fix: true }), "notifications");
  expect(finding).toMatchObject({ level: "warning" });
  expect(finding?.fixed).toBeUndefined();
  expect(finding?.found).toContain("CONFIG is forbidden, and no event is heard");
  expect(finding?.advice).toContain("`notify-keyspace-events Kh` into redis.conf");
  expect(finding?.advice).toContain("on a timer");
  // What was written in order to listen is gone.
  expect(await scope.client.keys("*")).toEqual([]);
});

test("for a user without CONFIG, events that are on are found by listening", async () => {
  await using scope = await testScope({ args: WELL_SET_UP });
  const rules = ["~*", "&*", "+@all", "-config"];
  await scope.client.aclSetUser("app", ["on", ">secret-word", ...rules]);
  const redis = urlAs(scope, "app", "secret-word");
  const [finding] = of(await diagnoseScope(scope, { redis }), "notifications");
  expect(finding).toMatchObject({ level: "ok" });
  await scope.client.configSet("notify-keyspace-events", "");
  const [off] = of(await diagnoseScope(scope, { redis }), "notifications");
  expect(off).toMatchObject({ level: "warning" });
});
