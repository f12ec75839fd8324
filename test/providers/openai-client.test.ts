// The official openai client against our loopback server: our idea of the wire is not only our own.
// What the client throws from a plain function is sorted as our own provider sorts it.

import { describe, expect, test } from "bun:test";
import OpenAI from "openai";
import type { EmbedFunction } from "../../src/index.ts";
import { troubleOf } from "../../src/model/trouble.ts";
import { openAI } from "../../src/providers/index.ts";
import { testScope } from "../helpers/scope.ts";
import { bytesIn, expectFourthDead, texts } from "./helpers.ts";
import type { Fault } from "./servers/loopback.ts";
import { bytesOf, EDGES, numbersOf } from "./servers/numbers.ts";
import { API_KEY, openAIError, startOpenAI } from "./servers/openai.ts";

const MODEL = "text-embedding-3-small";

const clientFor = (url: string, rest: object = {}) =>
  new OpenAI({ apiKey: API_KEY, baseURL: `${url}/v1`, maxRetries: 0, ...rest });

/** A plain function, as a user of the client writes it. */
function plainFunction(client: OpenAI): EmbedFunction {
  return async (input, { signal }) => {
    const { data, usage } = await client.embeddings.create(
      { model: MODEL, input: [...input] },
      { signal },
    );
    return {
      results: data.map(({ embedding }) => embedding),
      usage: { tokens: usage.total_tokens },
    };
  };
}

const context = { signal: new AbortController().signal };

describe("the wire", () => {
  test("the client takes our server's replies, and our provider gives the same vectors", async () => {
    await using server = await startOpenAI();
    const sent = texts(9);
    const client = clientFor(server.url);
    const theirs = await plainFunction(client)(sent, context);
    const ours = await openAI({ apiKey: API_KEY, baseUrl: `${server.url}/v1` }).embed(sent);
    const right = sent.map((text) => bytesOf(numbersOf(text, 1536, EDGES)));
    expect("results" in theirs && theirs.results.map(bytesIn)).toEqual(right);
    expect(ours.results.map(bytesIn)).toEqual(right);
    expect("usage" in theirs && theirs.usage).toEqual(ours.usage as object);
    expect(server.violations).toEqual([]);
  });

  test("our provider sends what the client sends", async () => {
    await using server = await startOpenAI();
    const client = clientFor(server.url);
    await client.embeddings.create({ model: MODEL, input: ["one", "two"], dimensions: 256 });
    await openAI({ apiKey: API_KEY, baseUrl: `${server.url}/v1`, dimensions: 256 }).embed([
      "one",
      "two",
    ]);
    const [theirs, ours] = server.received;
    expect(ours?.body).toEqual(theirs?.body as object);
    for (const name of ["authorization", "content-type"]) {
      expect(ours?.headers[name]).toEqual(theirs?.headers[name] as string);
    }
    expect(ours?.path).toBe(theirs?.path as string);
  });

  test("floats, a single text, and caps: the server is as strict with the client", async () => {
    await using server = await startOpenAI({ maxItems: 2 });
    const client = clientFor(server.url);
    const one = await client.embeddings.create({
      model: MODEL,
      input: "one",
      encoding_format: "float",
    });
    expect(one.data[0]?.embedding).toEqual(numbersOf("one", 1536, EDGES));
    const error: unknown = await client.embeddings
      .create({ model: MODEL, input: ["1", "2", "3"] })
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
  });
});

describe("errors", () => {
  const faults: [string, Fault][] = [
    ["a bad text", openAIError(400, "'$.input' is invalid.", { param: "input" })],
    [
      "a text too long",
      openAIError(
        400,
        "This model's maximum context length is 8192 tokens, however you requested 9000 tokens",
      ),
    ],
    [
      "too many tokens",
      openAIError(400, "Requested 300001 tokens, max 300000 tokens per request", {
        type: "max_tokens_per_request",
        code: "max_tokens_per_request",
      }),
    ],
    [
      "a wrong key",
      openAIError(401, "Incorrect API key provided: sk-abcdefgh.", { code: "invalid_api_key" }),
    ],
    ["no permission", openAIError(403, "Not allowed")],
    ["no such model", openAIError(404, "The model does not exist", { code: "model_not_found" })],
    ["a conflict", openAIError(409, "Conflict")],
    ["a body too large", openAIError(413, "Too large")],
    [
      "a rate limit",
      openAIError(429, "slower", { code: "rate_limit_exceeded" }, { "retry-after": "90" }),
    ],
    [
      "a rate limit by its headers",
      openAIError(
        429,
        "slower",
        {},
        { "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m30s" },
      ),
    ],
    [
      "no quota left",
      openAIError(429, "quota", { type: "insufficient_quota", code: "insufficient_quota" }),
    ],
    ["a page with 400", { status: 400, body: "<html>Bad Request</html>" }],
    ["400 and nothing else", { status: 400, body: "" }],
    ["400 in plain words", { status: 400, body: "Bad Request" }],
    ["a status that nobody knows", openAIError(412, "no")],
    ["a fault", openAIError(500, "The server had an error")],
    ["a page of a gateway", { status: 502, body: "<html>bad gateway</html>" }],
    ["overload", openAIError(503, "overloaded", {}, { "retry-after-ms": "1500" })],
    ["a cut", "cut"],
  ];
  test.each(faults)("%s: the same, thrown by the client or by our provider", async (_, fault) => {
    await using server = await startOpenAI();
    server.always(fault);
    const thrownBy = (promise: Promise<unknown>) =>
      promise.then(
        () => expect.unreachable(),
        (thrown: unknown) => troubleOf(thrown),
      );
    const client = clientFor(server.url);
    const theirs = await thrownBy(plainFunction(client)(["one"], context));
    const ours = await thrownBy(
      openAI({ apiKey: API_KEY, baseUrl: `${server.url}/v1` }).embed(["one"]),
    );
    const outcome = ({ kind, scope, exceeded, retryAfterMs }: typeof ours) => ({
      kind,
      scope,
      exceeded,
      retryAfterMs,
    });
    expect(outcome(theirs)).toEqual(outcome(ours));
    if (fault !== "cut") expect(theirs.error.message).toBe(ours.error.message);
    expect(ours.kind).not.toBe("unclassified");
  });

  test("a server that is not there, and one that takes too long, are outages", async () => {
    await using server = await startOpenAI();
    server.always("hang");
    const slow: unknown = await plainFunction(clientFor(server.url, { timeout: 20 }))(
      ["one"],
      context,
    ).catch((thrown: unknown) => thrown);
    expect(slow).toBeInstanceOf(OpenAI.APIConnectionTimeoutError);
    expect(troubleOf(slow).kind).toBe("unavailable");
    const refuse = () => Promise.reject(new Error("odd words of a runtime"));
    const gone: unknown = await plainFunction(clientFor(server.url, { fetch: refuse }))(
      ["one"],
      context,
    ).catch((thrown: unknown) => thrown);
    expect(gone).toBeInstanceOf(OpenAI.APIConnectionError);
    expect(troubleOf(gone).kind).toBe("unavailable");
  });
});

test("the client as a plain function in a queue: stored bytes, and a bad text with the provider's words", async () => {
  await using scope = await testScope();
  await using server = await startOpenAI({ poison: "doc text 3" });
  const queue = await scope.queue({
    embedder: plainFunction(clientFor(server.url)),
    model: MODEL,
    dimensions: 1536,
    flushIntervalMs: 0,
    onDead: "unset",
  });
  await expectFourthDead(scope, queue);
});
