// One bad text among many: it alone is dead, at once, and nobody else is charged.

import { expect, test } from "bun:test";
import { EmbedderError } from "../../src/index.ts";
import { FakeEmbedder } from "../helpers/embedder.ts";
import { heard, items, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";

const COUNT = 2048;

test.each([0, 1, 1023, 1024, 1500, 2047])(
  "one bad text among 2,048, at %d, is dead with the provider's message, in at most 23 further calls",
  async (place) => {
    await using scope = await testScope();
    const texts = items(COUNT);
    const bad = texts[place]?.text ?? "";
    const embedder = new FakeEmbedder({ limits: { maxItems: COUNT } });
    embedder.always((sent) => {
      if (!sent.includes(bad)) return embedder.answer(sent);
      throw new EmbedderError("rejected", "The input contains what this model refuses");
    });
    const queue = await scope.queue({ embedder, maxBatchSize: COUNT });
    const retried = heard(queue, "text:retried");
    const deferred = heard(queue, "text:deferred");
    const dead = heard(queue, "text:dead");
    const tickets = await queue.enqueueMany(texts);
    const outcomes = await Promise.all(
      tickets.map((ticket) => ticket.outcome({ timeoutMs: 30_000 })),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(
      texts.map((_, i) => (i === place ? "dead" : "embedded")),
    );
    await scope.untilEmpty();
    await until(() => dead.length === 1, { what: "the event of the dead text" });
    expect(dead[0]).toMatchObject({ key: texts[place]?.key, attempts: 0 });
    expect(await queue.deadLetters()).toMatchObject([
      { key: texts[place]?.key, reason: "The input contains what this model refuses", attempts: 0 },
    ]);
    expect(retried).toEqual([]);
    expect(deferred).toEqual([]);
    expect(embedder.calls.length - 1).toBeLessThanOrEqual(2 * Math.log2(COUNT) + 1);
  },
  60_000,
);
