// OpenAI's format against a strict server: what is sent, and what is taken of the reply.

import { describe, expect, test } from "bun:test";
import { type OpenAICompatibleOptions, openAICompatible } from "../../src/providers/index.ts";
import { bytesIn, refusal, texts } from "./helpers.ts";
import type { Fault, Reply } from "./servers/loopback.ts";
import { bytesOf, EDGES, numbersOf } from "./servers/numbers.ts";
import { API_KEY, startOpenAI } from "./servers/openai.ts";

const MODEL = "text-embedding-3-small";

function embedderFor(url: string, options: Partial<OpenAICompatibleOptions> = {}) {
  return openAICompatible({
    baseUrl: `${url}/v1`,
    model: MODEL,
    dimensions: 1536,
    apiKey: API_KEY,
    ...options,
  });
}

const rightBytes = (text: string, dimensions = 1536) => bytesOf(numbersOf(text, dimensions, EDGES));

describe("a call", () => {
  test.each(["base64", "float", undefined] as const)(
    "in %s brings the vectors of all texts and what they cost",
    async (encodingFormat) => {
      await using server = await startOpenAI();
      const sent = texts(7);
      const { results, usage } = await embedderFor(server.url, { encodingFormat }).embed(sent);
      expect(results.map(bytesIn)).toEqual(sent.map((text) => rightBytes(text)));
      expect(usage?.tokens).toBeGreaterThan(7);
      expect(server.violations).toEqual([]);
      expect(server.received).toHaveLength(1);
    },
  );

  test("sends these fields and headers, and no others", async () => {
    await using server = await startOpenAI();
    await embedderFor(server.url).embed(["one"]);
    const [call] = server.received;
    expect(call?.body).toEqual({ model: MODEL, input: ["one"] });
    expect(call).toMatchObject({ method: "POST", path: "/v1/embeddings" });
    expect(call?.headers).toMatchObject({
      authorization: `Bearer ${API_KEY}`,
      "content-type": "application/json",
    });
  });

  test("sends what options ask for", async () => {
    await using server = await startOpenAI({ alsoTakes: ["input_type", "routing"] });
    const embedder = embedderFor(server.url, {
      dimensions: 256,
      sendDimensions: true,
      encodingFormat: "base64",
      inputType: "search_document",
      queryInputType: "search_query",
      documentPrefix: "passage: ",
      queryPrefix: "query: ",
      headers: { "X-Title": "test" },
      extraBody: {
        routing: { order: ["a"] },
        user: "me",
        model: "not this one",
        input: "nor this",
      },
    });
    const { results } = await embedder.embed(["one"]);
    const query = await embedder.embedQuery("two");
    expect(server.received.map(({ body }) => body)).toEqual([
      {
        routing: { order: ["a"] },
        user: "me",
        model: MODEL,
        input: ["passage: one"],
        encoding_format: "base64",
        dimensions: 256,
        input_type: "search_document",
      },
      expect.objectContaining({ input: ["query: two"], input_type: "search_query" }),
    ]);
    expect(server.received[0]?.headers["x-title"]).toBe("test");
    expect(results.map(bytesIn)).toEqual([rightBytes("passage: one", 256)]);
    expect(query).toBeInstanceOf(Float32Array);
    expect(bytesIn(query)).toEqual(rightBytes("query: two", 256));
    expect(server.violations).toEqual([]);
  });

  test("needs no key where the server needs none", async () => {
    await using server = await startOpenAI({ apiKey: "" });
    await embedderFor(server.url, { apiKey: undefined }).embed(["one"]);
    expect(server.received[0]?.headers["authorization"]).toBeUndefined();
  });

  test("keeps the query of an address, and may end it with a slash", async () => {
    await using server = await startOpenAI();
    await embedderFor(server.url, { baseUrl: `${server.url}/v1/?api-version=1` }).embed(["one"]);
    expect(server.received[0]?.path).toBe("/v1/embeddings?api-version=1");
    expect(server.violations).toEqual([]);
  });

  test("sends half a surrogate pair as the character for what is no character", async () => {
    await using server = await startOpenAI();
    await embedderFor(server.url).embed(["half \ud83d of it"]);
    expect(server.received[0]?.body).toMatchObject({ input: ["half \ufffd of it"] });
    expect(server.violations).toEqual([]);
  });

  test("goes through the fetch that it is given", async () => {
    await using server = await startOpenAI();
    const urls: string[] = [];
    const embedder = embedderFor(server.url, {
      fetch: (url, init) => {
        urls.push(url);
        return fetch(url, init);
      },
    });
    await embedder.embed(["one"]);
    expect(urls).toEqual([`${server.url}/v1/embeddings`]);
  });
});

/** A reply whose items are changed. */
function changed(change: (data: Record<string, unknown>[]) => unknown): Fault {
  return ({ status, body }): Reply => {
    const reply = body as { data: Record<string, unknown>[] };
    return { status, body: { ...reply, data: change(reply.data) } };
  };
}

describe("the order of a reply", () => {
  const sent = texts(5);
  const shuffles: [string, Fault, string[]][] = [
    ["by index, where the items come in another order", changed((data) => data.reverse()), sent],
    [
      "as it came, where no item has an index",
      changed((data) => data.map(({ embedding }) => ({ embedding }))),
      sent,
    ],
    [
      "as it came, where all have the same index",
      changed((data) => data.map((item) => ({ ...item, index: 0 }))),
      sent,
    ],
    [
      "as it came, where indexes begin at one",
      changed((data) => data.map((item, i) => ({ ...item, index: i + 1 }))),
      sent,
    ],
    [
      "as it came, where indexes are no whole numbers of the list",
      changed((data) => data.map((item, i) => ({ ...item, index: i * 1e9 }))),
      sent,
    ],
  ];
  test.each(shuffles)("is taken %s", async (_, fault, wanted) => {
    await using server = await startOpenAI();
    server.next(fault);
    const { results } = await embedderFor(server.url).embed(sent);
    expect(results.map(bytesIn)).toEqual(wanted.map((text) => rightBytes(text)));
  });
});

describe("a reply that breaks the contract", () => {
  const broken: [string, Fault][] = [
    ["a vector too few", changed((data) => data.slice(1))],
    ["a vector too many", changed((data) => [...data, data[0]])],
    ["one vector for all", changed((data) => data.slice(0, 1))],
    ["no list", changed(() => ({ 0: {} }))],
    ["no data", () => ({ status: 200, body: {} })],
    ["null", () => ({ status: 200, body: "null" })],
  ];
  test.each(broken)("%s is refused as a whole", async (_, fault) => {
    await using server = await startOpenAI();
    server.next(fault);
    const error: unknown = await embedderFor(server.url)
      .embed(texts(3))
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "ERR_EMBEDDER_CONTRACT" });
  });

  const odd: [string, unknown][] = [
    ["base64 of another size", Buffer.alloc(1535 * 4).toString("base64")],
    ["no base64", "!".repeat(8192)],
    ["base64 with a hole", `${"A".repeat(4000)} ${"A".repeat(4191)}`],
    ["nothing", null],
    ["an object", {}],
  ];
  test.each(odd)("%s in the place of one vector concerns that text alone", async (_, embedding) => {
    await using server = await startOpenAI();
    server.next(
      changed((data) => data.map((item, i) => (i === 1 ? { ...item, embedding } : item))),
    );
    const [first, second, third] = (await embedderFor(server.url).embed(texts(3))).results;
    expect(second).toMatchObject({ code: "ERR_EMBEDDER_CONTRACT" });
    expect([first, third].map((result) => bytesIn(result).length)).toEqual([6144, 6144]);
  });

  test("a query's vector is checked to the last number", async () => {
    await using server = await startOpenAI();
    const embedder = embedderFor(server.url);
    for (const embedding of [[1, 2], Array.from({ length: 1536 }, () => "1"), null]) {
      server.next(changed((data) => data.map((item) => ({ ...item, embedding }))));
      const error: unknown = await embedder.embedQuery("x").catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "ERR_EMBEDDER_CONTRACT" });
    }
  });
});

describe("usage", () => {
  const rows: [unknown, number | undefined][] = [
    [{ prompt_tokens: 7, total_tokens: 9 }, 9],
    [{ prompt_tokens: 7 }, 7],
    [{ prompt_tokens: 0, total_tokens: 0 }, undefined],
    [{ total_tokens: "9" }, undefined],
    [null, undefined],
    [undefined, undefined],
  ];
  test.each(rows)("%p is %p tokens", async (usage, tokens) => {
    await using server = await startOpenAI();
    server.next(({ status, body }) => ({ status, body: { ...(body as object), usage } }));
    const reply = await embedderFor(server.url).embed(["one"]);
    expect(reply.usage?.tokens).toBe(tokens as number);
  });
});

describe("refusals of the server itself", () => {
  test.each([
    ["too many texts", { maxItems: 2 }, "items"],
    ["too many tokens", { maxTokens: 5 }, "tokens"],
  ] as const)("%s: the call is too large, and no text at fault", async (_, caps, exceeded) => {
    await using server = await startOpenAI(caps);
    const error = await refusal(embedderFor(server.url).embed(texts(3)));
    expect(error).toMatchObject({ kind: "rejected", exceeded });
  });

  test("a text that is too long, or refused, is at fault itself", async () => {
    await using server = await startOpenAI({ maxInputTokens: 5, poison: "bad" });
    const faults = [
      ["long ".repeat(10), "text"],
      ["a bad one", undefined],
    ] as const;
    for (const [text, exceeded] of faults) {
      const error = await refusal(embedderFor(server.url).embed([text]));
      expect(error).toMatchObject({ kind: "rejected", exceeded });
    }
  });

  test("a wrong key, model or path, and a size that the model has not, are the worker's", async () => {
    await using server = await startOpenAI();
    const wrong: Partial<OpenAICompatibleOptions>[] = [
      { apiKey: "sk-wrong-0123456789" },
      { model: "text-embedding-9" },
      { baseUrl: server.url },
      { model: "text-embedding-ada-002", sendDimensions: true },
      { extraBody: { odd: 1 } },
    ];
    for (const options of wrong) {
      const error = await refusal(embedderFor(server.url, options).embed(["one"]));
      expect(error).toMatchObject({ kind: "fatal", scope: "worker" });
      expect(error.message).not.toContain("sk-wrong");
    }
  });
});
