// Texts that are longer than the model takes: refused, cut, or embedded in pieces, as the option says.

import { expect, test } from "bun:test";
import { EmbedderError } from "../../src/index.ts";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { heard, items, testScope } from "../helpers/scope.ts";

/** One token for each word. */
const countTokens = (text: string) => text.split(/\s+/).filter((word) => word !== "").length;
const LIMITS = { maxItems: 10, maxTokens: 12, maxInputTokens: 4, countTokens };
const LONG = "one two three four five six seven eight nine";

test("by default a text above the limit is a dead letter that names both, and no call is made for it", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder({ limits: LIMITS });
  const queue = await scope.queue({ embedder, flushIntervalMs: 0 });
  const [short, long] = await queue.enqueueMany([
    { key: "doc:short", text: "one two" },
    { key: "doc:long", text: LONG },
  ]);
  expect((await short?.outcome())?.status).toBe("embedded");
  expect((await long?.outcome())?.status).toBe("dead");
  await scope.untilEmpty();
  const [letter] = await queue.deadLetters();
  expect(letter).toMatchObject({ key: "doc:long", attempts: 0 });
  expect(letter?.reason).toContain("9 tokens");
  expect(letter?.reason).toContain("4 tokens");
  expect(letter?.reason).toContain("onOversize");
  expect(embedder.texts).toEqual(["one two"]);
});

test("truncate embeds the start that fits, and shares a slot with an equal text", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder({ limits: LIMITS });
  const queue = await scope.queue({ embedder, flushIntervalMs: 0, onOversize: "truncate" });
  const tickets = await queue.enqueueMany([
    { key: "doc:long", text: LONG },
    { key: "doc:other", text: "alpha" },
  ]);
  for (const ticket of tickets) expect((await ticket.outcome()).status).toBe("embedded");
  const sent = embedder.texts.find((text) => text.startsWith("one")) ?? "";
  expect(countTokens(sent)).toBe(4);
  expect(LONG.startsWith(sent)).toBe(true);
  expect(await scope.vector("doc:long")).toEqual([...embedder.vectorOf(sent)]);
  // The same text again is unchanged: the digest is that of the whole text.
  const calls = embedder.calls.length;
  const again = await queue.enqueue("doc:long", LONG);
  expect((await again.outcome()).status).toBe("embedded");
  expect(embedder.calls).toHaveLength(calls);
});

test("split-and-average stores the mean of the pieces, weighted by tokens, of length 1", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder({ limits: LIMITS, dimensions: 2 });
  embedder.always((texts) =>
    texts.map((text) => (text.startsWith("one") ? [1, 0] : [0, countTokens(text)])),
  );
  const queue = await scope.queue({
    embedder,
    flushIntervalMs: 0,
    onOversize: "split-and-average",
  });
  const ticket = await queue.enqueue("doc:long", LONG);
  const [x = 0, y = 0] = await ticket.embedding();
  // Pieces of 4, 4 and 1 words: 4·(1, 0) + 4·(0, 4) + 1·(0, 1).
  const length = Math.hypot(4, 17);
  expect(x).toBeCloseTo(4 / length, 6);
  expect(y).toBeCloseTo(17 / length, 6);
  expect(embedder.texts.join(" ")).toBe(LONG);
  for (const text of embedder.texts) expect(countTokens(text)).toBeLessThanOrEqual(4);
  await scope.untilEmpty();
});

test("a piece that the provider refuses makes one dead letter of the whole text, and harms no other", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder({ limits: { ...LIMITS, maxTokens: 4 } });
  embedder.always((texts) => {
    if (texts.some((text) => text.includes("six"))) {
      throw new EmbedderError("rejected", "no sixes here");
    }
    return embedder.answer(texts);
  });
  const queue = await scope.queue({
    embedder,
    flushIntervalMs: 0,
    onOversize: "split-and-average",
  });
  const [long, other] = await queue.enqueueMany([
    { key: "doc:long", text: LONG },
    { key: "doc:other", text: "a b" },
  ]);
  expect((await long?.outcome())?.status).toBe("dead");
  expect((await other?.outcome())?.status).toBe("embedded");
  await scope.untilEmpty();
  expect(await queue.deadLetters()).toMatchObject([{ key: "doc:long", reason: "no sixes here" }]);
});

test("where tokens are only estimated, a text a little above the limit is for the provider to judge, alone", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder({ limits: { maxItems: 10, maxInputTokens: 4 } });
  const queue = await scope.queue({ embedder, flushIntervalMs: 0 });
  const tickets = await queue.enqueueMany([
    { key: "doc:1", text: "short" },
    { key: "doc:2", text: "five by the estimate" },
    { key: "doc:3", text: "also short" },
    { key: "doc:4", text: "far beyond what any counter could make of it" },
  ]);
  const outcomes = await Promise.all(tickets.map((ticket) => ticket.outcome()));
  expect(outcomes.map(({ status }) => status)).toEqual([
    "embedded",
    "embedded",
    "embedded",
    "dead",
  ]);
  expect(embedder.calls.toSorted((a, b) => a.length - b.length)).toEqual([
    ["five by the estimate"],
    ["short", "also short"],
  ]);
});

test.each(["truncate", "split-and-average"] as const)(
  "what the provider finds too long, although the estimate did not, is cut further: onOversize %p",
  async (onOversize) => {
    await using scope = await testScope();
    const embedder = new FakeEmbedder();
    const passed: string[] = [];
    embedder.always((texts) => {
      const isTooLong = texts.some((text) => text.length > 20);
      if (isTooLong) throw new EmbedderError("rejected", "context length", { exceeded: "text" });
      passed.push(...texts);
      return embedder.answer(texts);
    });
    const queue = await scope.queue({ embedder, onOversize });
    const charged = [heard(queue, "text:retried"), heard(queue, "limit:lowered")];
    const words = Array.from({ length: 20 }, (_, i) => `word${i}`);
    await queue.enqueueMany([...items(9), { key: "doc:long", text: words.join(" ") }]);
    await queue.flushAndWait();
    expect(charged).toEqual([[], []]);
    expect(await scope.dead()).toEqual([]);
    for (const { key, text } of items(9)) {
      expect(await scope.vector(key)).toEqual([...embedder.vectorOf(text)]);
    }
    const pieces = passed.filter((text) => !text.startsWith("doc"));
    if (onOversize === "truncate") {
      expect(pieces).toHaveLength(1);
      expect(words.join(" ").startsWith(pieces[0] as string)).toBe(true);
      expect(await scope.vector("doc:long")).toEqual([...embedder.vectorOf(pieces[0] as string)]);
    } else {
      expect(pieces.join("").replaceAll(" ", "")).toBe(words.join(""));
      const length = Math.hypot(...((await scope.vector("doc:long")) as number[]));
      expect(length).toBeCloseTo(1, 5);
    }
  },
);
