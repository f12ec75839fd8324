// A Redis that is set up so that texts can be lost, or cannot be reached at all.

import { expect, test } from "bun:test";
import { rm } from "node:fs/promises";
import { diagnose } from "../../src/index.ts";
import { startRedis } from "../helpers/redis.ts";
import { testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";
import { diagnoseScope, of, WELL_SET_UP } from "./findings.ts";

test("an evicting memory policy is a problem, with the line that ends it", async () => {
  const args = ["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"];
  await using scope = await testScope({ args: [...WELL_SET_UP, ...args] });
  const diagnosis = await diagnoseScope(scope);
  expect(diagnosis.isHealthy).toBe(false);
  const [finding] = of(diagnosis, "eviction");
  expect(finding).toMatchObject({ level: "problem" });
  expect(finding?.found).toStartWith("maxmemory-policy is allkeys-lru");
  expect(finding?.advice).toContain("CONFIG SET maxmemory-policy noeviction");
  await scope.client.configSet("maxmemory-policy", "noeviction");
  expect(of(await diagnoseScope(scope), "eviction")).toMatchObject([{ level: "ok" }]);
});

test("a policy that throws only keys with an expiry away is a warning", async () => {
  const args = ["--maxmemory", "100mb", "--maxmemory-policy", "volatile-ttl"];
  await using scope = await testScope({ args: [...WELL_SET_UP, ...args] });
  const diagnosis = await diagnoseScope(scope);
  expect(of(diagnosis, "eviction")).toMatchObject([{ level: "warning" }]);
  expect(diagnosis.isHealthy).toBe(true);
});

test("memory near its limit is a warning, at its limit a problem", async () => {
  await using scope = await testScope({ args: WELL_SET_UP });
  // Beside this, what connections take is nothing.
  await scope.client.setRange("ballast", 20_000_000, "x");
  const used = Number(/used_memory:(\d+)/.exec(await scope.client.info("memory"))?.[1]);
  await scope.client.configSet("maxmemory", String(Math.ceil(used * 1.15)));
  expect(of(await diagnoseScope(scope), "memory")).toMatchObject([{ level: "warning" }]);
  await scope.client.configSet("maxmemory", String(Math.floor(used * 0.9)));
  const [finding] = of(await diagnoseScope(scope), "memory");
  expect(finding).toMatchObject({ level: "problem" });
  expect(finding?.advice).toContain("raise maxmemory");
});

test("no persistence is a problem; snapshots alone, and a file that nobody flushes, are warnings", async () => {
  await using scope = await testScope();
  const diagnosis = await diagnoseScope(scope);
  expect(diagnosis.isHealthy).toBe(false);
  const [none] = of(diagnosis, "persistence");
  expect(none).toMatchObject({ level: "problem" });
  expect(none?.found).toContain("no save points");
  expect(none?.advice).toContain("CONFIG SET appendonly yes");

  await scope.client.configSet("save", "3600 1");
  const [snapshots] = of(await diagnoseScope(scope), "persistence");
  expect(snapshots).toMatchObject({ level: "warning" });
  expect(snapshots?.found).toContain("`save 3600 1`");

  await scope.client.configSet({ appendonly: "yes", appendfsync: "no" });
  expect(of(await diagnoseScope(scope), "persistence")).toMatchObject([{ level: "warning" }]);
  await scope.client.configSet("appendfsync", "everysec");
  expect(of(await diagnoseScope(scope), "persistence")).toMatchObject([{ level: "ok" }]);
});

test("a snapshot that failed is a problem", async () => {
  await using scope = await testScope({ args: ["--save", "3600 1"] });
  await rm(scope.server.dir, { recursive: true });
  await scope.client.bgSave();
  const failed = async () => /rdb_last_bgsave_status:err/.test(await scope.client.info());
  await until(failed, { what: "the snapshot to fail" });
  const [finding] = of(await diagnoseScope(scope), "persistence");
  expect(finding).toMatchObject({ level: "problem" });
  expect(finding?.found).toStartWith("The last snapshot has failed");
});

test("a replica is named with its primary, and a node of a cluster as one", async () => {
  await using primary = await startRedis();
  await using replica = await startRedis({ args: ["--replicaof", "127.0.0.1", `${primary.port}`] });
  const [role] = of(await diagnose({ redis: replica.url }), "role");
  expect(role).toMatchObject({ level: "problem" });
  expect(role?.found).toContain(`replica of 127.0.0.1:${primary.port}`);

  await using node = await startRedis({ args: ["--cluster-enabled", "yes"] });
  const found = await diagnose({ redis: node.url, commandTimeoutMs: 300 });
  expect(of(found, "role")).toMatchObject([{ level: "problem" }]);
});

test("a Redis that is not there is the one finding, and the provider is looked at all the same", async () => {
  const server = await startRedis();
  await server.stop();
  const diagnosis = await diagnose({ redis: server.url, commandTimeoutMs: 200 });
  expect(diagnosis.isHealthy).toBe(false);
  expect(diagnosis.findings).toHaveLength(1);
  expect(diagnosis.findings[0]).toMatchObject({ check: "connection", level: "problem" });
  expect(diagnosis.findings[0]?.found).toContain(`127.0.0.1:${server.port}`);
  expect(diagnosis.findings[0]?.advice).toContain("Check host and port");
});
