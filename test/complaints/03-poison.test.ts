// Complaint 3: one bad input fails the whole batch, or ends the run.

import { expect, test } from "bun:test";
import type { Embedder } from "../../src/index.ts";
import { openRouter } from "../../src/providers/index.ts";
import { heard, items, testScope } from "../helpers/scope.ts";
import type { Loopback } from "../providers/servers/loopback.ts";
import { API_KEY, openAIError, startOpenAI } from "../providers/servers/openai.ts";
import { expectOwnVectors, SIZE, textsOf, wireOpenAI } from "../providers/wire.ts";

/** Has one bad text among others through the provider; the calls beyond the first. */
async function callsForOneBad(
  server: Loopback,
  embedder: Embedder,
  texts: readonly { readonly key: string; readonly text: string }[],
  bad: number,
  reason: string,
): Promise<number> {
  await using scope = await testScope();
  const queue = await scope.queue({ embedder, maxBatchSize: texts.length, onDead: "unset" });
  const spent = [heard(queue, "text:retried"), heard(queue, "text:deferred")];
  await queue.enqueueMany(texts);
  await scope.untilEmpty();
  const key = texts[bad]?.key ?? "";
  expect(await queue.deadLetters()).toMatchObject([{ key, attempts: 0 }]);
  expect((await queue.deadLetters())[0]?.reason).toContain(reason);
  expect(spent).toEqual([[], []]);
  expect(await scope.client.hExists(key, "embedding")).toBe(false);
  await expectOwnVectors(
    scope,
    texts.filter((_, i) => i !== bad),
  );
  return server.received.length - 1;
}

test.each([0, 1023, 1500, 2047])(
  "complaint 3: the text that OpenAI refuses, at %d of 2,048, is dead alone, after at most 23 further calls",
  async (bad) => {
    await using server = await startOpenAI({ poison: "POISON" });
    const texts = items(2048).map(({ key, text }, i) =>
      i === bad ? { key, text: `${text} POISON` } : { key, text },
    );
    const calls = await callsForOneBad(
      server,
      wireOpenAI(server),
      texts,
      bad,
      "cannot be embedded",
    );
    expect(calls).toBeLessThanOrEqual(2 * Math.log2(2048) + 1);
  },
);

const telling = [
  ["it's said: insufficient balance, as we know", "'"],
  ["unknown model of the year", ""],
  ['he said "too many texts" to me', '"'],
] as const;

test.each(telling)(
  "complaint 3: a refused text that reads %p, between %p, decides nothing but that it is dead",
  async (bad, quote) => {
    await using server = await startOpenAI();
    const refusal = openAIError(400, `Invalid input: ${quote}${bad}${quote} cannot be tokenized`);
    server.always((right) => (textsOf(server).includes(bad) ? refusal : right));
    const texts = items(50).map((item, i) => (i === 3 ? { ...item, text: bad } : item));
    const reason = `Invalid input: ${quote}<text>${quote} cannot be tokenized`;
    const calls = await callsForOneBad(server, wireOpenAI(server), texts, 3, reason);
    expect(calls).toBeLessThanOrEqual(2 * Math.log2(50) + 1);
  },
);

const refusals = [
  [
    "moderation, with 403",
    openAIError(403, "Your chosen model requires moderation and your input was flagged for x."),
    "input was flagged",
  ],
  [
    "a router, with 200",
    { status: 200, body: { error: { code: 400, message: "Provider returned error" } } },
    "Provider returned error",
  ],
] as const;

test.each(refusals)(
  "complaint 3: a text that is refused by %s is dead alone",
  async (_, refusal, reason) => {
    const model = "text-embedding-3-small";
    await using server = await startOpenAI({ models: { [model]: SIZE } });
    server.always((right) =>
      textsOf(server).some((text) => text.endsWith(" 70")) ? refusal : right,
    );
    const embedder = openRouter({
      model,
      dimensions: SIZE,
      apiKey: API_KEY,
      baseUrl: `${server.url}/v1`,
    });
    const calls = await callsForOneBad(server, embedder, items(96), 70, reason);
    expect(calls).toBeLessThanOrEqual(2 * Math.log2(96) + 1);
  },
);
