// The real AI SDK, three generations of it, against our loopback server: the vectors that `embedMany`
// gives, and every refusal sorted as our own provider sorts it.

import { describe, expect, test } from "bun:test";
import { troubleOf } from "../../src/model/trouble.ts";
import { aiSdk, openAI } from "../../src/providers/index.ts";
import { failure, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";
import { MODEL, PAIRS } from "./ai-sdk/pairs.ts";
import { bytesIn, expectFourthDead, refusal, texts } from "./helpers.ts";
import type { Fault } from "./servers/loopback.ts";
import { bytesOf, EDGES, numbersOf, tokensIn } from "./servers/numbers.ts";
import { API_KEY, openAIError, startOpenAI } from "./servers/openai.ts";

/** A fault, and what it is. Where a reply came, the sentence is that of our own provider, too. */
const REFUSALS: readonly (readonly [string, Fault, object])[] = [
  [
    "a bad text",
    openAIError(400, "'$.input' is invalid.", { param: "input" }),
    { kind: "rejected", exceeded: undefined },
  ],
  [
    "too many tokens",
    openAIError(400, "Requested 300001 tokens, max 300000 tokens per request", {
      type: "max_tokens_per_request",
      code: "max_tokens_per_request",
    }),
    { kind: "rejected", exceeded: "tokens" },
  ],
  [
    "a wrong key",
    openAIError(401, "Incorrect API key provided: sk-abcdefgh.", { code: "invalid_api_key" }),
    { kind: "fatal", scope: "worker" },
  ],
  [
    "a rate limit with a wait of more than a minute",
    openAIError(429, "slower", { code: "rate_limit_exceeded" }, { "retry-after": "90" }),
    { kind: "rateLimited", retryAfterMs: 90_000 },
  ],
  [
    "no quota left",
    openAIError(429, "quota", { type: "insufficient_quota", code: "insufficient_quota" }),
    { kind: "fatal", scope: "account" },
  ],
  [
    "overload",
    openAIError(503, "overloaded", {}, { "retry-after-ms": "1500" }),
    { kind: "unavailable", retryAfterMs: 1500 },
  ],
  [
    "a rate limit in a reply with 200",
    { status: 200, body: { error: { code: 429, message: "slower" } } },
    { kind: "rateLimited" },
  ],
];

describe.each(PAIRS)("%s", (_, pair) => {
  test("gives the vectors and the usage that embedMany gives", async () => {
    await using server = await startOpenAI();
    const sent = texts(9);
    const model = pair.model(server.url);
    expect(model.specificationVersion).toBe(pair.specificationVersion);
    const ours = await aiSdk(model).embed(sent);
    const theirs = await pair.embedMany(server.url, sent);
    const right = sent.map((text) => bytesOf(numbersOf(text, 1536, EDGES)));
    expect(ours.results.map(bytesIn)).toEqual(right);
    expect(theirs.embeddings.map(bytesIn)).toEqual(right);
    const tokens = sent.reduce((sum, text) => sum + tokensIn(text), 0);
    expect(ours.usage).toEqual({ tokens });
    expect(theirs.usage).toEqual({ tokens });
    expect(server.violations).toEqual([]);
  });

  test("sends what embedMany sends, and what it is told beside", async () => {
    await using server = await startOpenAI();
    const embedder = aiSdk(pair.model(server.url), {
      dimensions: 256,
      providerOptions: { openai: { dimensions: 256, user: "indexer" } },
      queryProviderOptions: { openai: { user: "searcher" } },
      headers: { "x-team": "search" },
    });
    await pair.embedMany(server.url, ["one"]);
    const { results } = await embedder.embed(["one"]);
    expect(results.map(bytesIn)).toEqual([bytesOf(numbersOf("one", 256, EDGES))]);
    expect([...(await embedder.embedQuery("who?"))]).toHaveLength(256);
    const [theirs, ours, query] = server.received;
    expect(ours?.body).toEqual({ ...(theirs?.body as object), dimensions: 256, user: "indexer" });
    expect(ours?.headers["x-team"]).toBe("search");
    expect(query?.body).toMatchObject({ input: ["who?"], dimensions: 256, user: "searcher" });
    expect(server.violations).toEqual([]);
  });

  test.each(REFUSALS)("%s is sorted and said as by our own provider", async (_, fault, sorted) => {
    await using server = await startOpenAI();
    server.always(fault);
    const ours = openAI({ apiKey: API_KEY, baseUrl: `${server.url}/v1` });
    const error = await refusal(aiSdk(pair.model(server.url)).embed(["one"]));
    expect(error).toMatchObject(sorted);
    const own = await refusal(ours.embed(["one"]));
    expect({ ...error }).toEqual({ ...own });
    expect(error.message).toBe(own.message);
    expect(error.message).not.toContain("sk-");
    expect(error.cause).toBeUndefined();
    // No hidden retry: one call each.
    expect(server.received).toHaveLength(2);
  });

  test.each([
    ["cut", "cut"],
    ["a page with 200", { status: 200, body: "<html>Who are you?</html>" }],
    ["a page with 502", { status: 502, body: "<html>bad gateway</html>" }],
  ] as readonly (readonly [string, Fault])[])(
    "no whole reply, %s, is an outage",
    async (_, fault) => {
      await using server = await startOpenAI();
      server.next(fault);
      const error = await refusal(aiSdk(pair.model(server.url)).embed(["one"]));
      expect(error).toMatchObject({ kind: "unavailable" });
    },
  );

  test("so is a server that is not there", async () => {
    const server = await startOpenAI();
    await server[Symbol.asyncDispose]();
    const error = await refusal(aiSdk(pair.model(server.url)).embed(["one"]));
    expect(error).toMatchObject({ kind: "unavailable" });
    expect(error.message).toStartWith(
      "Cannot get embeddings from openai.embedding as it must answer",
    );
  });

  test("a reply of another form is a broken contract", async () => {
    await using server = await startOpenAI();
    server.next({ status: 200, body: { data: [{ vector: [1, 2] }] } });
    const error = await failure(aiSdk(pair.model(server.url)).embed(["one"]));
    expect(error).toMatchObject({ code: "ERR_EMBEDDER_CONTRACT" });
  });

  test("options that the provider does not take are this worker's fault", async () => {
    await using server = await startOpenAI();
    const providerOptions = { openai: { dimensions: "many" } };
    const embedder = aiSdk(pair.model(server.url), { providerOptions });
    expect(await refusal(embedder.embed(["one"]))).toMatchObject({ kind: "fatal" });
    expect(server.received).toEqual([]);
  });

  test("more texts than the model takes are refused here, to be halved", async () => {
    await using server = await startOpenAI();
    const embedder = aiSdk(pair.model(server.url));
    expect(embedder.limits?.maxItems).toBe(2048);
    const many = Array.from({ length: 2049 }, (_, i) => `text ${i}`);
    const error = await refusal(embedder.embed(many));
    expect(error).toMatchObject({ kind: "rejected", exceeded: "items" });
    expect(server.received).toEqual([]);
  });

  test("an abort ends the call with its reason", async () => {
    await using server = await startOpenAI();
    server.always("hang");
    const worker = new AbortController();
    const call = failure(aiSdk(pair.model(server.url)).embed(["one"], worker));
    await until(() => server.received.length === 1, { what: "the call" });
    worker.abort(new Error("the worker stops"));
    expect(await call).toBe(worker.signal.reason);
    expect(await failure(aiSdk(pair.model(server.url)).embed(["one"], worker))).toBe(
      worker.signal.reason,
    );
    expect(server.received).toHaveLength(1);
  });

  test("in a queue: stored bytes, an outage without a spent attempt, a bad text with the provider's words", async () => {
    await using scope = await testScope();
    await using server = await startOpenAI({ poison: "doc text 3" });
    server.next(openAIError(429, "slower", {}, { "retry-after-ms": "20" }), "cut");
    const queue = await scope.queue({
      embedder: aiSdk(pair.model(server.url)),
      flushIntervalMs: 0,
      maxAttempts: 1,
      onDead: "unset",
    });
    await expectFourthDead(scope, queue);
    expect(queue.settings.space).toEqual({ model: MODEL, dimensions: 1536, task: "" });
  });
});

test("a wrong key is never shown, whatever the server echoes", async () => {
  const apiKey = "sk-live-abcdefghijklmnop";
  for (const [, pair] of PAIRS) {
    await using server = await startOpenAI();
    const error = await refusal(aiSdk(pair.model(server.url, apiKey)).embed(["one"]));
    expect(error).toMatchObject({ kind: "fatal", scope: "worker" });
    expect(Bun.inspect(error)).not.toContain(apiKey);
    expect(Bun.inspect(troubleOf(error))).not.toContain(apiKey);
  }
});
