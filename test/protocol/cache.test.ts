// The cache: equal texts of one vector space share a vector for a while. Nothing depends on it.

import { expect, test } from "bun:test";
import { type CacheStage, readCache, writeCache } from "../../src/flow/cache.ts";
import { sourceDigest } from "../../src/model/digest.ts";
import type { VectorSpace } from "../../src/model/settings.ts";
import { toVectorBytes } from "../../src/model/vector.ts";
import { vectorOf } from "../helpers/embedder.ts";
import { watchCommands } from "../helpers/monitor.ts";
import { type Scope, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";
import { before, intercept, once } from "./helpers/intercept.ts";
import { openRig, type Rig, SPACE } from "./helpers/rig.ts";

const DAY_MS = 86_400_000;
const NOTHING = { vectors: [undefined], error: undefined };

function stageOf(rig: Rig, space: VectorSpace = SPACE, ttlMs = DAY_MS): CacheStage {
  return { link: rig.link, space, ttlMs };
}

function bytesOf(text: string): Uint8Array {
  return new Uint8Array(toVectorBytes(vectorOf(text, SPACE.dimensions)));
}

function embedded(...texts: readonly string[]) {
  return texts.map((text) => ({ text, vector: bytesOf(text) }));
}

function keyOf(scope: Scope, text: string, space: VectorSpace = SPACE): string {
  return `${scope.name}:cache:${sourceDigest(space, text)}`;
}

test("what was kept is found again, bit for bit; what was not is a miss", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const stage = stageOf(rig);
  expect(await writeCache(stage, embedded("one", "two"))).toEqual({ stored: 2, error: undefined });
  expect(await readCache(stage, ["two", "other", "one", "two"])).toEqual({
    vectors: [bytesOf("two"), undefined, bytesOf("one"), bytesOf("two")],
    error: undefined,
  });
});

test.each<[string, Partial<VectorSpace>]>([
  ["model", { model: "other" }],
  ["task", { task: "query" }],
  ["size", { dimensions: SPACE.dimensions + 1 }],
])("another %s shares no vectors", async (_, change) => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await writeCache(stageOf(rig), embedded("one"));
  expect(await readCache(stageOf(rig, { ...SPACE, ...change }), ["one"])).toEqual(NOTHING);
});

test("a vector is kept for ttlMs, and a later write keeps it longer", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const key = keyOf(scope, "one");
  await writeCache(stageOf(rig, SPACE, 5000), embedded("one"));
  expect(await scope.client.pTTL(key)).toBeWithin(1, 5001);
  await writeCache(stageOf(rig), embedded("one"));
  expect(await scope.client.pTTL(key)).toBeWithin(5001, DAY_MS + 1);
  await writeCache(stageOf(rig, SPACE, 1), embedded("one"));
  const isGone = async () => (await readCache(stageOf(rig), ["one"])).vectors[0] === undefined;
  await until(isGone, { what: "the vector to expire" });
});

test.each<[string, (key: string) => (string | Buffer)[]]>([
  ["a hash", (key) => ["HSET", key, "field", "value"]],
  ["too short", (key) => ["SET", key, "short"]],
  ["empty", (key) => ["SET", key, ""]],
  ["not finite", (key) => ["SET", key, Buffer.alloc(4 * SPACE.dimensions, 0xff)]],
])("what is %s is a miss", async (_, command) => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  await scope.client.sendCommand(command(keyOf(scope, "one")) as string[]);
  await writeCache(stageOf(rig), embedded("two"));
  expect(await readCache(stageOf(rig), ["one", "two"])).toEqual({
    vectors: [undefined, bytesOf("two")],
    error: undefined,
  });
});

test("a key that somebody else uses for another type is left alone", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const key = keyOf(scope, "one");
  await scope.client.hSet(key, "field", "value");
  expect(await writeCache(stageOf(rig), embedded("one", "two"))).toEqual({
    stored: 1,
    error: undefined,
  });
  expect({ ...(await scope.client.hGetAll(key)) }).toEqual({ field: "value" });
});

test("600 texts take three commands to read and three to write", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const texts = Array.from({ length: 600 }, (_, i) => `text ${i}`);
  await writeCache(stageOf(rig), embedded("warm"));
  await readCache(stageOf(rig), ["warm"]);
  await using seen = await watchCommands(scope.url);
  expect(await writeCache(stageOf(rig), embedded(...texts))).toMatchObject({ stored: 600 });
  const { vectors } = await readCache(stageOf(rig), texts);
  await seen.settled();
  expect(seen.commands.map(({ command }) => command)).toEqual(new Array(6).fill("EVALSHA"));
  expect(vectors).toEqual(texts.map(bytesOf));
});

test("out of memory nothing is kept, and that is told and not thrown; reading goes on", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const stage = stageOf(rig);
  await writeCache(stage, embedded("one"));
  await scope.client.configSet("maxmemory", "1");
  const { stored, error } = await writeCache(stage, embedded("two", "three"));
  expect(stored).toBe(0);
  expect(error).toMatchObject({ code: "ERR_REDIS_REPLY" });
  expect(error?.message).toContain("OOM");
  expect((await readCache(stage, ["one", "two"])).vectors).toEqual([bytesOf("one"), undefined]);
  await scope.client.configSet("maxmemory", "0");
});

test("a Redis that does not answer makes misses, and what was found before stands", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const texts = Array.from({ length: 300 }, (_, i) => `text ${i}`);
  await writeCache(stageOf(rig), embedded(...texts));
  let calls = 0;
  const away = () => {
    if (++calls > 1) throw new Error("away");
  };
  const link = intercept(rig.link, "readCache", before(away));
  const { vectors, error } = await readCache({ ...stageOf(rig), link }, texts);
  expect(error?.message).toBe("away");
  expect(vectors.filter((vector) => vector !== undefined)).toHaveLength(256);
  const refusing = intercept(rig.link, "writeCache", once(before(() => Promise.reject(error))));
  expect(await writeCache({ ...stageOf(rig), link: refusing }, embedded("one"))).toEqual({
    stored: 0,
    error,
  });
});

test("a Redis user without access to these keys works without a cache", async () => {
  await using scope = await testScope();
  await using rig = await openRig(scope);
  const rules = ["on", "nopass", "+@all", `~{${scope.name}}*`, "&*"];
  await rig.link.send(["ACL", "SETUSER", "narrow", ...rules]);
  await rig.link.send(["AUTH", "narrow", "any"]);
  expect(await writeCache(stageOf(rig), embedded("one"))).toMatchObject({
    stored: 0,
    error: { code: "ERR_REDIS_REPLY" },
  });
  const { vectors, error } = await readCache(stageOf(rig), ["one"]);
  expect(vectors).toEqual([undefined]);
  expect(error).toMatchObject({ code: "ERR_REDIS_REPLY" });
});
