// A text at fault: whatever it makes the provider say, its neighbours are embedded, uncharged.

import { expect, test } from "bun:test";
import { EmbedderError, type EmbeddingQueue } from "../../src/index.ts";
import { type Behaviour, FakeEmbedder, throwing } from "../helpers/embedder.ts";
import { heard, items, type Scope, testScope } from "../helpers/scope.ts";

const QUICK = { cooldown: { baseMs: 5, maxMs: 20 }, backoff: { baseMs: 1 }, maxAttempts: 2 };
const PLACES = [0, 4, 9];

/** Throws wherever this text is among those of the call. */
function failingOn(bad: string, embedder: FakeEmbedder, error: () => Error): Behaviour {
  return (texts) => {
    if (texts.includes(bad)) throw error();
    return embedder.answer(texts);
  };
}

/** Enqueues the texts, and expects one to be given up and all others to be embedded without a charge. */
async function expectOneDead(scope: Scope, queue: EmbeddingQueue, bad: string): Promise<void> {
  const retried = heard(queue, "text:retried");
  await queue.enqueueMany(items(10));
  await queue.flushNow();
  await scope.untilEmpty();
  const letters = await queue.deadLetters();
  expect(letters.map(({ text }) => text)).toEqual([bad]);
  expect(new Set(retried.map(({ key }) => key)).size).toBeLessThanOrEqual(1);
  for (const { key, text } of items(10)) {
    if (text !== bad)
      expect(await scope.destination(key)).toMatchObject({ embedding_status: "embedded" });
  }
}

const faults: [string, () => Error][] = [
  ["fails with 500", () => new EmbedderError("unavailable", "HTTP 500")],
  ["is stopped by a firewall", () => new EmbedderError("fatal", "HTTP 403")],
  ["never answers", () => new EmbedderError("unavailable", "timed out")],
];

test.each(faults.flatMap(([what, error]) => PLACES.map((at) => [what, at, error] as const)))(
  "one text on which the provider %s, at place %p, does not hold up the others",
  async (_, at, error) => {
    await using scope = await testScope();
    const embedder = new FakeEmbedder();
    const bad = items(10)[at]?.text as string;
    embedder.always(failingOn(bad, embedder, error));
    await expectOneDead(scope, await scope.queue({ embedder, ...QUICK }), bad);
  },
);

test.each(PLACES)(
  "the search for a refused text, at place %p, goes on where a rate limit cuts it short",
  async (at) => {
    await using scope = await testScope();
    const embedder = new FakeEmbedder();
    const bad = items(10)[at]?.text as string;
    let calls = 0;
    const refuse = failingOn(bad, embedder, () => new EmbedderError("rejected", "bad"));
    embedder.always((texts, context) => {
      // Two calls in each window; ten texts take up to nine.
      if (++calls % 3 === 0) throw new EmbedderError("rateLimited", "slower");
      return refuse(texts, context);
    });
    await expectOneDead(scope, await scope.queue({ embedder, ...QUICK }), bad);
  },
);

test("texts that are all bad are all given up, after a look at whether the provider works", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.always((texts) => {
    if (texts.some((text) => text.startsWith("doc"))) throw new EmbedderError("rejected", "bad");
    return embedder.answer(texts);
  });
  const queue = await scope.queue({ embedder, ...QUICK });
  await queue.enqueueMany(items(50));
  await scope.untilEmpty();
  expect(await scope.dead()).toHaveLength(50);
  // Every eighth time.
  expect(embedder.texts.filter((text) => text === "hello").length).toBeLessThanOrEqual(6);
});

test("a provider that is away for all is no text's fault, however long", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.next(
    ...Array.from({ length: 30 }, () => throwing(new EmbedderError("unavailable", "down"))),
  );
  const queue = await scope.queue({ embedder, ...QUICK });
  const retried = heard(queue, "text:retried");
  await queue.enqueueMany(items(50));
  await scope.untilEmpty();
  expect(retried).toEqual([]);
  expect(await scope.dead()).toEqual([]);
});
