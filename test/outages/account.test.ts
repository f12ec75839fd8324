// No credit, a used up quota, a router's error with 200: all workers pause together, and one at a time tries again.

import { expect, test } from "bun:test";
import type { Embedder } from "../../src/index.ts";
import { openRouter } from "../../src/providers/index.ts";
import { heard, items, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";
import { quotaError, startGemini } from "../providers/servers/gemini.ts";
import type { Loopback, Reply } from "../providers/servers/loopback.ts";
import { API_KEY, openAIError, startOpenAI } from "../providers/servers/openai.ts";
import { SIZE, wireGemini, wireOpenAI } from "../providers/wire.ts";

interface Wire {
  readonly start: () => Promise<Loopback>;
  readonly embedder: (server: Loopback) => Embedder;
}

const OPENAI: Wire = { start: startOpenAI, embedder: wireOpenAI };
const GEMINI: Wire = { start: startGemini, embedder: wireGemini };
const MODEL = "text-embedding-3-small";
const OPENROUTER: Wire = {
  start: () => startOpenAI({ models: { [MODEL]: SIZE } }),
  embedder: ({ url }) =>
    openRouter({ model: MODEL, dimensions: SIZE, apiKey: API_KEY, baseUrl: `${url}/v1` }),
};

const PER_DAY = "EmbedContentRequestsPerDayPerUserPerProjectPerModel-FreeTier";
const errorWith200 = (code: number, message: string): Reply => ({
  status: 200,
  body: { error: { code, message }, user_id: "user_1" },
});

const troubles: [string, Wire, Reply][] = [
  ["402", OPENAI, openAIError(402, "Insufficient Balance")],
  [
    "429 with insufficient_quota",
    OPENAI,
    openAIError(429, "You exceeded your current quota, please check your plan.", {
      type: "insufficient_quota",
      code: "insufficient_quota",
    }),
  ],
  ["Gemini's daily quota", GEMINI, quotaError(PER_DAY)],
  ["OpenRouter's 402 with status 200", OPENROUTER, errorWith200(402, "Insufficient credits")],
  ["a closed account", OPENAI, openAIError(400, "This organization has been disabled.")],
  [
    "an error with status 200 that says no more",
    OPENROUTER,
    { status: 200, body: { error: { message: "Upstream timed out", code: "server_error" } } },
  ],
  ["OpenRouter's 502 with status 200", OPENROUTER, errorWith200(502, "Provider returned error")],
];

test.each(troubles)(
  "%s pauses all workers, costs one call a cool-down and no attempt, and ends by itself",
  async (_, { start, embedder }, refusal) => {
    await using scope = await testScope();
    await using server = await start();
    /** When each refused call came. */
    const refusedAt: number[] = [];
    const refuse = () => {
      refusedAt.push(performance.now());
      return refusal;
    };
    server.always(refuse);
    const options = { embedder: embedder(server), cooldown: { baseMs: 100, maxMs: 200 } };
    const workers = [];
    for (let i = 0; i < 3; i++) workers.push(await scope.worker({ ...options, concurrency: 2 }));
    const unwanted = workers.flatMap((worker) => [
      heard(worker, "text:retried"),
      heard(worker, "text:dead"),
      heard(worker, "worker:paused"),
    ]);
    const { model, dimensions, task } = options.embedder;
    const producer = await scope.queue({ model, dimensions, task });
    const tickets = await producer.enqueueMany(items(600));

    await until(() => refusedAt.length >= 10, { what: "several cool-downs", timeoutMs: 20_000 });
    await until(async () => (await producer.stats()).cooldownMs > 0, { what: "a pause to be on" });
    expect(await scope.client.hLen(scope.keys.retries)).toBe(0);
    // Six calls may be under way when it begins. From then on each refusal is followed by a pause
    // of at least 100 ms less the jitter of a fifth, in which no worker calls.
    const gaps = refusedAt.slice(1).map((at, i) => at - (refusedAt[i] ?? 0));
    expect(gaps.filter((gap) => gap < 79).length).toBeLessThanOrEqual(5);

    server.always();
    for (const ticket of tickets) expect((await ticket.outcome()).status).toBe("embedded");
    expect(unwanted.flat()).toEqual([]);
    expect(await producer.deadLetters()).toEqual([]);
    await scope.untilEmpty();
    expect((await producer.stats()).cooldownMs).toBe(0);
  },
  60_000,
);
