// OpenAI, OpenRouter and the servers that are known by name: their limits, sizes and fields.

import { describe, expect, test } from "bun:test";
import {
  type KnownServer,
  type OpenRouterOptions,
  openAI,
  openAICompatible,
  openRouter,
} from "../../src/providers/index.ts";
import { bytesIn, optionError, refusal } from "./helpers.ts";
import { bytesOf, EDGES, numbersOf } from "./servers/numbers.ts";
import { API_KEY, openAIError, startOpenAI } from "./servers/openai.ts";

describe("openAI", () => {
  test("knows the limits of the API and the sizes of its models", () => {
    const small = openAI({ apiKey: API_KEY });
    expect(small).toMatchObject({
      model: "text-embedding-3-small",
      dimensions: 1536,
      account: "api.openai.com",
      limits: { maxItems: 2048, maxTokens: 300_000, maxInputTokens: 8192 },
    });
    expect(openAI({ apiKey: API_KEY, model: "text-embedding-3-large" }).dimensions).toBe(3072);
    expect(openAI({ apiKey: API_KEY, model: "text-embedding-ada-002" }).dimensions).toBe(1536);
  });

  test("asks for base64, and for a size only where it is not the model's own", async () => {
    await using server = await startOpenAI();
    const common = { apiKey: API_KEY, baseUrl: `${server.url}/v1` };
    await openAI(common).embed(["one"]);
    const short = openAI({ ...common, model: "text-embedding-3-large", dimensions: 256 });
    const [result] = (await short.embed(["one"])).results;
    await openAI({ ...common, model: "text-embedding-ada-002" }).embed(["one"]);
    expect(server.received.map(({ body }) => body)).toEqual([
      { model: "text-embedding-3-small", input: ["one"], encoding_format: "base64" },
      {
        model: "text-embedding-3-large",
        input: ["one"],
        encoding_format: "base64",
        dimensions: 256,
      },
      { model: "text-embedding-ada-002", input: ["one"], encoding_format: "base64" },
    ]);
    expect(bytesIn(result)).toEqual(bytesOf(numbersOf("one", 256, EDGES)));
    expect(server.violations).toEqual([]);
  });

  test("embeds a query as it embeds a text", async () => {
    await using server = await startOpenAI();
    const query = await openAI({ apiKey: API_KEY, baseUrl: `${server.url}/v1` }).embedQuery("one");
    expect(bytesIn(query)).toEqual(bytesOf(numbersOf("one", 1536, EDGES)));
  });

  test.each([
    { model: "text-embedding-3-small", dimensions: 1537 },
    { model: "text-embedding-ada-002", dimensions: 256 },
    { model: "text-embedding-9" },
    { dimensions: 0 },
  ])("refuses a size that the model has not: %p", (options) => {
    const error = optionError(() => openAI({ apiKey: API_KEY, ...options }));
    expect(error.code).toBe("ERR_OPTION_INVALID");
    expect(error.message).toContain("`dimensions`");
  });

  test("takes single limits that the user knows better, and keeps the others", () => {
    const { limits } = openAI({ apiKey: API_KEY, limits: { maxItems: 100, maxTokens: undefined } });
    expect(limits).toMatchObject({ maxItems: 100, maxTokens: 300_000, maxInputTokens: 8192 });
  });
});

describe("openRouter", () => {
  const model = "openai/text-embedding-3-small";

  async function sent(options: Partial<OpenRouterOptions>) {
    await using server = await startOpenAI({
      models: { [model]: 1536 },
      alsoTakes: ["provider", "input_type"],
    });
    const common = { model, dimensions: 1536, apiKey: API_KEY, baseUrl: `${server.url}/v1` };
    const embedder = openRouter({ ...common, ...options });
    await embedder.embed(["one"]);
    expect(server.violations).toEqual([]);
    return server.received[0]?.body;
  }

  test("sends its routing and the type of the input", async () => {
    const provider = { order: ["openai"], allow_fallbacks: false };
    expect(await sent({ provider, inputType: "search_document" })).toEqual({
      model,
      input: ["one"],
      encoding_format: "base64",
      provider,
      input_type: "search_document",
    });
    expect(await sent({})).toEqual({ model, input: ["one"], encoding_format: "base64" });
  });

  test("keeps to caps that the providers behind it take", () => {
    const embedder = openRouter({ model, dimensions: 1536, apiKey: API_KEY });
    expect(embedder.limits).toMatchObject({ maxItems: 96, maxTokens: 100_000 });
    expect(embedder.account).toBe("openrouter.ai");
  });

  test("takes a reply without index and usage", async () => {
    await using server = await startOpenAI({ models: { [model]: 1536 } });
    server.next(({ status, body }) => {
      const { data } = body as { data: { embedding: string }[] };
      return { status, body: { data: data.map(({ embedding }) => ({ embedding })) } };
    });
    const common = { model, dimensions: 1536, apiKey: API_KEY, baseUrl: `${server.url}/v1` };
    const { results, usage } = await openRouter(common).embed(["one", "two"]);
    expect(results.map(bytesIn)).toEqual(
      ["one", "two"].map((text) => bytesOf(numbersOf(text, 1536, EDGES))),
    );
    expect(usage?.tokens).toBeUndefined();
  });

  const errors: [string, number, object, object][] = [
    [
      "no credits, with 200",
      200,
      { code: 402, message: "Insufficient credits" },
      { kind: "fatal", scope: "account" },
    ],
    ["overload, with 200", 200, { code: 529, message: "Overloaded" }, { kind: "unavailable" }],
    ["a time-out behind it", 524, { code: 524, message: "Timed out" }, { kind: "unavailable" }],
    [
      "no provider left",
      404,
      { code: 404, message: "No endpoints found" },
      { kind: "fatal", scope: "worker" },
    ],
    [
      "the words of the provider behind it",
      200,
      {
        code: 429,
        message: "Provider returned error",
        metadata: { raw: "Rate limited. Please retry after 90 seconds.", provider_name: "x" },
      },
      { kind: "rateLimited", retryAfterMs: 90_000 },
    ],
  ];
  test.each(errors)("sorts %s", async (_, status, error, wanted) => {
    await using server = await startOpenAI();
    server.next({ status, body: { error, data: [] } });
    const common = { model, dimensions: 1536, apiKey: API_KEY, baseUrl: `${server.url}/v1` };
    expect(await refusal(openRouter(common).embed(["one"]))).toMatchObject(wanted);
  });
});

describe("servers known by name", () => {
  const known: [KnownServer, number, string | undefined][] = [
    ["tei", 32, "base64"],
    ["vllm", 256, "base64"],
    ["ollama", 64, undefined],
    ["lmStudio", 64, "float"],
    ["liteLLM", 50, "float"],
    ["dashScope", 10, "float"],
    ["siliconFlow", 64, undefined],
  ];
  test.each(known)(
    "%s takes %i texts a call, and is asked for %p",
    async (name, maxItems, encoding) => {
      await using server = await startOpenAI({ apiKey: "", models: { m: 8 } });
      const common = { baseUrl: `${server.url}/v1`, model: "m", dimensions: 8 };
      const embedder = openAICompatible({ ...common, server: name });
      expect(embedder.limits?.maxItems).toBe(maxItems);
      await embedder.embed(["one"]);
      const [call] = server.received;
      expect(call?.body).toEqual({
        model: "m",
        input: ["one"],
        ...(encoding && { encoding_format: encoding }),
      });
      const own = openAICompatible({ ...common, server: name, limits: { maxItems: 7 } });
      expect(own.limits?.maxItems).toBe(7);
    },
  );

  test("a server that does not give base64 although it is asked for is understood", async () => {
    await using server = await startOpenAI({ apiKey: "", models: { m: 8 } });
    const numbers = numbersOf("one", 8, EDGES);
    server.next({ status: 200, body: { data: [{ embedding: numbers }] } });
    const embedder = openAICompatible({
      baseUrl: `${server.url}/v1`,
      model: "m",
      dimensions: 8,
      server: "tei",
    });
    expect((await embedder.embed(["one"])).results.map(bytesIn)).toEqual([bytesOf(numbers)]);
  });

  test("a prefix is counted in the limits, and is part of what the vectors are for", () => {
    const embedder = openAICompatible({
      baseUrl: "http://x/v1",
      model: "m",
      dimensions: 8,
      documentPrefix: "passage:\n",
      inputType: "doc",
      limits: { maxItems: 10, maxTokens: 1000, maxInputTokens: 512 },
    });
    expect(embedder.limits).toMatchObject({ maxItems: 10, maxTokens: 970, maxInputTokens: 509 });
    expect(embedder.task).toBe("doc passage: ");
  });

  test("DashScope's cap is understood, where the table was not asked", async () => {
    await using server = await startOpenAI({ apiKey: "", models: { m: 8 } });
    server.next(
      openAIError(
        400,
        "<400> InternalError.Algo.InvalidParameter: Value error, batch size is invalid, it should not be larger than 10.: input.contents",
        { type: "InvalidParameter", code: "InvalidParameter" },
      ),
    );
    const embedder = openAICompatible({ baseUrl: `${server.url}/v1`, model: "m", dimensions: 8 });
    expect(await refusal(embedder.embed(["one"]))).toMatchObject({
      kind: "rejected",
      exceeded: "items",
    });
  });
});
