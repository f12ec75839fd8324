// Members that are no texts: they are told of, stay where they are, and hold nothing up.

import { expect, test } from "bun:test";
import { type Scope, testScope } from "../helpers/scope.ts";
import { memberOf, PythonModule } from "./module.ts";

/** One of each kind, and what is said of it. */
const RUBBISH: readonly (readonly [member: string | Buffer, reason: RegExp])[] = [
  ["no JSON, but a secret", /^it must be JSON in UTF-8$/],
  [Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), /^it must be JSON in UTF-8$/],
  ["null", /`redis_key` as it must be a string/],
  ['["a","b"]', /`redis_key` as it must be a string/],
  ['{"text":"a secret"}', /`redis_key` as it must be a string.*it is missing/],
  ['{"redis_key":"","text":"a secret"}', /`redis_key` as it must be a string that is not empty/],
  ['{"redis_key":7,"text":"a secret"}', /`redis_key` as it must be a string.*it is 7/],
  ['{"redis_key":"msg:1"}', /`text` as it must be a string.*it is missing/],
  ['{"redis_key":"msg:1","text":null}', /`text` as it must be a string/],
  ['{"redis_key":"msg:1","text":"a secret \\ud83d"}', /without lone surrogates: it is a text$/],
];

async function put(scope: Scope, set: string, member: string | Buffer, score: number) {
  await scope.client.sendCommand(["ZADD", `embed_queue:${set}`, String(score), member as string]);
}

test("each kind of malformed member is told of, and all others are taken", async () => {
  await using scope = await testScope();
  for (const [i, [member]] of RUBBISH.entries()) {
    await put(scope, "pending", member, 10 * i);
    await put(scope, "pending", memberOf(`msg:${i}`, `text ${i}`), 10 * i + 1);
  }
  const queue = await scope.queue();
  const result = await queue.takeOver({ chunkSize: 3 });
  expect(result).toMatchObject({ enqueued: RUBBISH.length, malformed: RUBBISH.length, done: true });
  expect(result.problems.map(({ where }) => where)).toEqual(RUBBISH.map(() => "pending"));
  for (const [i, [, reason]] of RUBBISH.entries()) {
    expect(result.problems[i]?.reason).toMatch(reason);
  }
  expect(JSON.stringify(result)).not.toContain("secret");
  const left = await scope.client.zRangeWithScores("embed_queue:pending", 0, -1);
  expect(left.map(({ score }) => score)).toEqual(RUBBISH.map((_, i) => 10 * i));
  // Again: nothing new.
  const again = await queue.takeOver({ chunkSize: 3 });
  expect(again).toMatchObject({ enqueued: 0, malformed: RUBBISH.length });
});

test("a key of the queue itself is none for a vector", async () => {
  await using scope = await testScope();
  const member = memberOf(`{${scope.name}}:dedup`, "text");
  await put(scope, "pending", member, 1);
  const queue = await scope.queue();
  const { malformed, problems } = await queue.takeOver();
  expect(malformed).toBe(1);
  expect(problems[0]?.reason).toContain("no key of the queue itself");
  expect(await scope.client.zRange("embed_queue:pending", 0, -1)).toEqual([member]);
});

test("malformed orphans keep their scores, and only the first ten are told of", async () => {
  await using scope = await testScope();
  for (let i = 0; i < 25; i++) await put(scope, "inflight", `rubbish ${i}`, i);
  await put(scope, "inflight", memberOf("msg:1", "text"), 99);
  const queue = await scope.queue();
  const result = await queue.takeOver({ chunkSize: 4 });
  expect(result).toMatchObject({ enqueued: 1, malformed: 25, left: 0 });
  expect(result.problems).toHaveLength(10);
  expect(await scope.client.zCount("embed_queue:inflight", "-inf", "+inf")).toBe(25);
  expect(await scope.client.zScore("embed_queue:inflight", "rubbish 24")).toBe(24);
});

test("members that move up as the module drops malformed ones are not passed over", async () => {
  await using scope = await testScope();
  const module = new PythonModule(scope.client);
  for (let i = 0; i < 4; i++) await put(scope, "pending", `rubbish ${i}`, i);
  for (let i = 0; i < 12; i++) await module.enqueue(`msg:${i}`, `text ${i}`);
  const queue = await scope.queue();
  let step = 0;
  const result = await queue.takeOver({
    chunkSize: 4,
    onProgress: async () => {
      // After the first step, of nothing but rubbish.
      if (step++ === 0) await scope.client.zRemRangeByRank("embed_queue:pending", 0, 2);
    },
  });
  expect(result).toMatchObject({ enqueued: 12, malformed: 1, done: true });
  expect(result.problems).toHaveLength(1);
  expect(await scope.client.zRange("embed_queue:pending", 0, -1)).toEqual(["rubbish 3"]);
});

test("nothing there at all", async () => {
  await using scope = await testScope();
  const queue = await scope.queue();
  expect(await queue.takeOver()).toEqual({
    enqueued: 0,
    known: 0,
    superseded: 0,
    malformed: 0,
    problems: [],
    left: 0,
    done: true,
  });
  expect(await scope.client.keys("embed_queue:*")).toEqual([]);
});
