// A provider that takes less than it says: the call is halved, and the lower limit is remembered.

import { expect, test } from "bun:test";
import { type CallMeasure, EmbedderError } from "../../src/index.ts";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { heard, items, testScope } from "../helpers/scope.ts";

const sizes: [CallMeasure, (texts: readonly string[]) => number, number][] = [
  ["items", (texts) => texts.length, 10],
  ["tokens", (texts) => texts.reduce((sum, text) => sum + Math.ceil(text.length / 4), 0), 30],
  ["bytes", (texts) => texts.reduce((sum, text) => sum + text.length, 0), 100],
];

test.each(sizes)(
  "a call with too many %s is halved without a charge, and no later call is as large",
  async (exceeded, sizeOf, most) => {
    await using scope = await testScope();
    const embedder = new FakeEmbedder({ limits: { maxItems: 50 } });
    const refused: number[] = [];
    embedder.always((texts) => {
      if (sizeOf(texts) <= most) return embedder.answer(texts);
      refused.push(sizeOf(texts));
      throw new EmbedderError("rejected", `at most ${most} ${exceeded}`, { exceeded });
    });
    const queue = await scope.queue({ embedder, concurrency: 1 });
    const lowered = heard(queue, "limit:lowered");
    const retried = heard(queue, "text:retried");
    const first = await queue.enqueueMany(items(50));
    for (const ticket of first) expect((await ticket.outcome()).status).toBe("embedded");
    // Each refusal was of a smaller call than the one before: none was made twice.
    expect(refused.length).toBeGreaterThan(0);
    expect(refused).toEqual(refused.toSorted((a, b) => b - a));
    expect(new Set(refused).size).toBe(refused.length);
    expect(lowered.map(({ measure }) => measure)).toEqual(refused.map(() => exceeded));
    const before = refused.length;
    const second = await queue.enqueueMany(items(200, "more"));
    for (const ticket of second) expect((await ticket.outcome()).status).toBe("embedded");
    expect(refused).toHaveLength(before);
    expect(retried).toEqual([]);
    expect(await queue.deadLetters()).toEqual([]);
    await scope.untilEmpty();
  },
);

test("a single text that is too large for a call is dead with the provider's message", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.always((texts) => {
    if (texts.every((text) => text.length < 50)) return embedder.answer(texts);
    throw new EmbedderError("rejected", "Payload too large", { exceeded: "bytes" });
  });
  const queue = await scope.queue({ embedder, flushIntervalMs: 0 });
  const tickets = await queue.enqueueMany([...items(3), { key: "doc:huge", text: "x".repeat(60) }]);
  const outcomes = await Promise.all(tickets.map((ticket) => ticket.outcome()));
  expect(outcomes.map(({ status }) => status)).toEqual([
    "embedded",
    "embedded",
    "embedded",
    "dead",
  ]);
  await scope.untilEmpty();
  expect(await queue.deadLetters()).toMatchObject([
    { key: "doc:huge", reason: "Payload too large" },
  ]);
});

test.each(["reject", "truncate", "split-and-average"] as const)(
  "a limit that has become lower concerns calls of several texts: a longer one goes alone and whole, with onOversize %p",
  async (onOversize) => {
    await using scope = await testScope();
    const embedder = new FakeEmbedder();
    embedder.always((texts) => {
      if (texts.join("").length <= 100) return embedder.answer(texts);
      throw new EmbedderError("rejected", "at most 100 bytes", { exceeded: "bytes" });
    });
    const queue = await scope.queue({ embedder, onOversize });
    const lowered = heard(queue, "limit:lowered");
    await queue.enqueueMany(items(50));
    await scope.untilEmpty();
    const limit = lowered.at(-1)?.limit as number;
    const long = "long ".repeat(19);
    expect(long.length).toBeGreaterThan(limit);
    await queue.enqueue("doc:long", long);
    await queue.flushAndWait();
    expect(await scope.vector("doc:long")).toEqual([...embedder.vectorOf(long)]);
    expect(embedder.calls.at(-1)).toEqual([long]);
  },
);
