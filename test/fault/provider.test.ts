// A provider at fault for every text: hardly any is charged, the worker says so, and goes on once it is mended.

import { expect, test } from "bun:test";
import { EmbedderError } from "../../src/index.ts";
import { type Behaviour, FakeEmbedder, HARMLESS, throwing } from "../helpers/embedder.ts";
import { heard, items, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";

const faults: [string, Behaviour, string][] = [
  ["refuses every text", throwing(new EmbedderError("rejected", "HTTP 400")), "HTTP 400"],
  ["throws something odd", throwing(new TypeError("x is undefined")), "x is undefined"],
  ["gives vectors of another size", (texts) => texts.map(() => [1, 2, 3]), "must return 4 numbers"],
  ["gives too few vectors", () => [], "one result for each"],
];

test.each(faults)(
  "a provider that %s pauses its worker, and the backlog is embedded once it is mended",
  async (_, fault, words) => {
    await using scope = await testScope();
    const embedder = new FakeEmbedder().always(fault);
    const queue = await scope.queue({ embedder, cooldown: { baseMs: 20, maxMs: 40 } });
    const paused = heard(queue, "worker:paused");
    const resumed = heard(queue, "worker:resumed");
    const retried = heard(queue, "text:retried");
    await queue.enqueueMany(items(500));
    await until(() => paused.length >= 3, { what: "it to try again by itself" });
    expect(paused[0]?.error.message).toContain("even with a harmless text");
    expect(paused[0]?.error.message).toContain(words);
    expect(retried).toEqual([]);
    const { dead } = await queue.stats();
    // Up to eight of each call that was under way.
    expect(dead).toBeLessThanOrEqual(8 * 4);
    embedder.always();
    await scope.untilEmpty();
    expect(resumed).toHaveLength(1);
    expect((await queue.stats()).dead).toBe(dead);
  },
);

test("while it is at fault each pause ends with a small call, and at most a harmless one", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder().always(throwing(new EmbedderError("rejected", "HTTP 400")));
  const queue = await scope.queue({ embedder, cooldown: { baseMs: 20, maxMs: 40 } });
  const paused = heard(queue, "worker:paused");
  await queue.enqueueMany(items(50));
  // Fifty texts are six halvings away from one.
  await until(() => paused.length >= 7, { what: "seven pauses" });
  const calls = embedder.calls.length;
  await until(() => paused.length >= 12, { what: "five more pauses" });
  const sizes = embedder.batchSizes.slice(calls, calls + 8);
  expect(sizes).toEqual(Array(8).fill(1));
  expect(embedder.calls.slice(calls, calls + 8).filter(([text]) => text === HARMLESS)).toHaveLength(
    4,
  );
});

/** Takes nothing but addresses. */
const onlyAddresses =
  (embedder: FakeEmbedder): Behaviour =>
  (texts) => {
    const bad = texts.find((text) => !text.startsWith("https://"));
    if (bad !== undefined) throw new EmbedderError("rejected", "no address");
    return embedder.answer(texts);
  };

const mixed = [
  ...items(20),
  ...items(30).map(({ key }, i) => ({ key: `good:${key}`, text: `https://a.example/${i}` })),
];

test("an embedder that does not take the harmless text still embeds what it takes", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder();
  embedder.always(onlyAddresses(embedder));
  const queue = await scope.queue({ embedder, cooldown: { baseMs: 5, maxMs: 20 } });
  await queue.enqueueMany(mixed);
  const areStored = async () =>
    (await Promise.all(mixed.slice(20).map(({ key }) => scope.vector(key)))).every(Boolean);
  await queue.flushNow();
  await until(areStored, { what: "the good texts to be embedded" });
});

test("an embedder can name a harmless text of its own", async () => {
  await using scope = await testScope();
  const fake = new FakeEmbedder();
  fake.always(onlyAddresses(fake));
  const embedder = {
    model: "fake-1",
    dimensions: 4,
    harmlessText: "https://a.example/",
    embed: fake.embed.bind(fake),
  };
  const queue = await scope.queue({ embedder });
  await queue.enqueueMany(mixed);
  await queue.flushNow();
  await scope.untilEmpty();
  expect(await scope.dead()).toHaveLength(20);
  expect(fake.texts).toContain("https://a.example/");
});
