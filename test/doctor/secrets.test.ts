// Credentials are in no finding, whatever goes wrong.

import { expect, test } from "bun:test";
import { diagnose } from "../../src/index.ts";
import { startRedis } from "../helpers/redis.ts";
import { testScope } from "../helpers/scope.ts";
import { diagnoseScope, of, urlAs, WELL_SET_UP } from "./findings.ts";

const SECRET = "hunter2hunter2";

test("a password that is right, wrong, missing or useless is never shown", async () => {
  await using scope = await testScope({ args: WELL_SET_UP });
  await scope.client.aclSetUser("app", ["on", `>${SECRET}`, "~nothing", "+ping", "+client"]);
  const right = await diagnoseScope(scope, { redis: urlAs(scope, "app", SECRET) });
  expect(of(right, "rights")[0]).toMatchObject({ level: "problem" });
  const wrong = await diagnoseScope(scope, {
    redis: urlAs(scope, "app", `${SECRET}x`),
    commandTimeoutMs: 200,
  });
  expect(wrong.findings).toMatchObject([{ check: "connection", level: "problem" }]);
  expect(wrong.findings[0]?.advice).toContain("redis://USER:PASSWORD@HOST:PORT");

  await using locked = await startRedis({ args: ["--requirepass", SECRET] });
  const missing = await diagnose({ redis: locked.url, commandTimeoutMs: 200 });
  expect(missing.findings).toMatchObject([{ check: "connection", level: "problem" }]);
  await locked.stop();
  const away = await diagnose({
    redis: locked.url.replace("//", `//:${SECRET}@`),
    commandTimeoutMs: 200,
  });
  const inOptions = await diagnose({
    redis: { password: SECRET, socket: { host: "127.0.0.1", port: locked.port } },
    commandTimeoutMs: 200,
  });
  expect(inOptions.findings[0]?.found).toContain(`127.0.0.1:${locked.port}`);
  for (const diagnosis of [right, wrong, missing, away, inOptions]) {
    expect(diagnosis.isHealthy).toBe(false);
    expect(JSON.stringify(diagnosis)).not.toContain("hunter2");
  }
});
