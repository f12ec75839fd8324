// A provider at fault for every text: hardly any is charged, the worker says so, and goes on once it is mended.

import { expect, test } from "bun:test";
import { EmbedderError } from "../../src/index.ts";
import { type Behaviour, FakeEmbedder, throwing } from "../helpers/embedder.ts";
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

test("while it is at fault one call for each pause finds out whether it still is", async () => {
  await using scope = await testScope();
  const embedder = new FakeEmbedder().always(throwing(new EmbedderError("rejected", "HTTP 400")));
  const queue = await scope.queue({ embedder, cooldown: { baseMs: 20, maxMs: 40 } });
  const paused = heard(queue, "worker:paused");
  await queue.enqueueMany(items(50));
  await until(() => paused.length >= 1, { what: "the first pause" });
  const [calls, pauses] = [embedder.calls.length, paused.length];
  await until(() => paused.length >= pauses + 4, { what: "four more pauses" });
  expect(embedder.calls.slice(calls, calls + 4)).toEqual(Array(4).fill(["hello"]));
});
