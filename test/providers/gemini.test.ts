// Gemini against a strict server.

import { describe, expect, test } from "bun:test";
import { type GeminiOptions, gemini } from "../../src/providers/index.ts";
import { bytesIn, optionError, refusal, texts } from "./helpers.ts";
import { GEMINI_KEY, googleError, quotaError, startGemini } from "./servers/gemini.ts";
import type { Reply } from "./servers/loopback.ts";
import { bytesOf, numbersOf } from "./servers/numbers.ts";

const embedderFor = (url: string, options: GeminiOptions = {}) =>
  gemini({ baseUrl: `${url}/v1beta`, apiKey: GEMINI_KEY, ...options });

describe("a call", () => {
  test("sends one content for each text, and the key in a header only", async () => {
    await using server = await startGemini();
    const { results } = await embedderFor(server.url).embed(["one", "two"]);
    const [call] = server.received;
    const content = (text: string) => ({
      model: "models/gemini-embedding-001",
      content: { parts: [{ text }] },
      taskType: "RETRIEVAL_DOCUMENT",
    });
    expect(call?.body).toEqual({ requests: [content("one"), content("two")] });
    expect(call?.path).toBe("/v1beta/models/gemini-embedding-001:batchEmbedContents");
    expect(call?.headers["x-goog-api-key"]).toBe(GEMINI_KEY);
    expect(results.map(bytesIn)).toEqual(
      ["one", "two"].map((text) => bytesOf(numbersOf(text, 3072))),
    );
    expect(server.violations).toEqual([]);
  });

  test("takes 100 texts, as many as the limits say", async () => {
    await using server = await startGemini();
    const embedder = embedderFor(server.url, { outputDimensionality: 128 });
    expect(embedder.limits).toMatchObject({ maxItems: 100, maxInputTokens: 2048, costPerItem: 1 });
    const { results } = await embedder.embed(texts(100));
    expect(results).toHaveLength(100);
    const error = await refusal(embedder.embed(texts(101)));
    expect(error).toMatchObject({ kind: "rejected", exceeded: "items" });
  });

  test("asks for queries otherwise than for texts", async () => {
    await using server = await startGemini();
    await embedderFor(server.url).embedQuery("one");
    const similar = embedderFor(server.url, { taskType: "SEMANTIC_SIMILARITY" });
    await similar.embedQuery("one");
    const code = embedderFor(server.url, { queryTaskType: "CODE_RETRIEVAL_QUERY" });
    await code.embedQuery("one");
    const asked = server.received.map(
      ({ body }) => (body as { requests: { taskType: string }[] }).requests[0]?.taskType,
    );
    expect(asked).toEqual(["RETRIEVAL_QUERY", "SEMANTIC_SIMILARITY", "CODE_RETRIEVAL_QUERY"]);
    expect(embedderFor(server.url).task).toBe("RETRIEVAL_DOCUMENT");
    expect(server.violations).toEqual([]);
  });

  test("tells gemini-embedding-2 its task by a prefix", async () => {
    await using server = await startGemini();
    const options = {
      model: "models/gemini-embedding-2",
      documentPrefix: "text: ",
      queryPrefix: "query: ",
    };
    const embedder = embedderFor(server.url, options);
    await embedder.embed(["one"]);
    await embedder.embedQuery("two");
    const sent = server.received.map(
      ({ body }) => (body as { requests: Record<string, unknown>[] }).requests[0],
    );
    expect(sent).toEqual([
      { model: "models/gemini-embedding-2", content: { parts: [{ text: "text: one" }] } },
      { model: "models/gemini-embedding-2", content: { parts: [{ text: "query: two" }] } },
    ]);
    expect(embedder.limits?.maxInputTokens).toBe(8192 - 2);
    expect(embedder.task).toBe("text: ");
    expect(
      optionError(() => embedderFor("http://x", { ...options, taskType: "CLUSTERING" })),
    ).toMatchObject({
      code: "ERR_OPTION_INVALID",
    });
  });

  test("reports what the API says that it used, where it does", async () => {
    await using server = await startGemini();
    const embedder = embedderFor(server.url);
    expect((await embedder.embed(["one"])).usage?.tokens).toBeUndefined();
    server.next(({ status, body }) => ({
      status,
      body: { ...(JSON.parse(String(body)) as object), usageMetadata: { promptTokenCount: 12 } },
    }));
    expect((await embedder.embed(["one"])).usage?.tokens).toBe(12);
  });
});

describe("the length of vectors", () => {
  const lengthOf = (bytes: Uint8Array) => Math.hypot(...new Float32Array(bytes.buffer));

  test("is 1 below the full size", async () => {
    await using server = await startGemini();
    const embedder = embedderFor(server.url, { outputDimensionality: 768 });
    const [result] = (await embedder.embed(["one"])).results;
    const numbers = numbersOf("one", 768);
    const length = Math.sqrt(numbers.reduce((sum, number) => sum + number * number, 0));
    expect(length).toBeGreaterThan(2);
    expect(bytesIn(result)).toEqual(bytesOf(numbers.map((number) => number / length)));
    expect(lengthOf(bytesIn(await embedder.embedQuery("two")))).toBeCloseTo(1, 6);
  });

  test("is what the API gave where that is asked for, and at full size", async () => {
    await using server = await startGemini();
    for (const options of [{ outputDimensionality: 768, normalize: false }, {}]) {
      const { outputDimensionality: size = 3072 } = options as GeminiOptions;
      const [result] = (await embedderFor(server.url, options).embed(["one"])).results;
      expect(bytesIn(result)).toEqual(bytesOf(numbersOf("one", size)));
    }
  });

  test("a vector of zeros, or with something else in it, is left for the check of all vectors", async () => {
    await using server = await startGemini();
    const embedder = embedderFor(server.url, { outputDimensionality: 128 });
    const odd = [Array.from({ length: 128 }, () => 0), [1, "2"], [Number.MAX_VALUE, 2]];
    const embeddings = odd.map((values) => ({ values }));
    server.next(() => ({ status: 200, body: { embeddings } }));
    expect((await embedder.embed(texts(3))).results as unknown).toEqual(odd);
  });
});

describe("the size of a body", () => {
  test("is measured as it is sent: a call that JSON makes too large is not made", async () => {
    await using server = await startGemini();
    const embedder = embedderFor(server.url, { outputDimensionality: 128 });
    // Six bytes each in JSON, one each in the limits.
    const control = Array.from({ length: 100 }, () => "\u0001".repeat(8000));
    expect(control.join("").length).toBeLessThan(embedder.limits?.maxBytes ?? 0);
    const error = await refusal(embedder.embed(control));
    expect(error).toMatchObject({ kind: "rejected", exceeded: "bytes" });
    expect(server.received).toEqual([]);
    await embedder.embed(control.slice(0, 50));
    expect(server.received[0]?.bytes).toBeLessThan(4_194_304);
  });

  test("plain texts up to the limit of bytes fit", async () => {
    await using server = await startGemini();
    const embedder = embedderFor(server.url, {
      model: "gemini-embedding-2",
      outputDimensionality: 128,
    });
    const most = Math.floor((embedder.limits?.maxBytes ?? 0) / 100);
    const plain = Array.from({ length: 100 }, (_, i) => `${i} `.padEnd(most, '"plain\n'));
    expect(most * 100).toBeGreaterThan(3_000_000);
    expect(plain[0]).toHaveLength(most);
    await embedder.embed(plain);
    expect(server.violations).toEqual([]);
    expect(server.received[0]?.bytes).toBeGreaterThan(most * 100);
  });
});

describe("refusals", () => {
  const perDay = "EmbedContentRequestsPerDayPerUserPerProjectPerModel-FreeTier";
  const perMinute = "EmbedContentRequestsPerMinutePerUserPerProjectPerModel-FreeTier";
  const rows: [string, Reply, object][] = [
    [
      "a minute's quota",
      quotaError(perMinute, "45.837906927s"),
      { kind: "rateLimited", retryAfterMs: 45_838 },
    ],
    [
      "a minute's quota without a wait",
      quotaError(perMinute),
      { kind: "rateLimited", retryAfterMs: undefined },
    ],
    [
      "a day's quota",
      quotaError(perDay, "3600s"),
      { kind: "fatal", scope: "account", retryAfterMs: 3_600_000 },
    ],
    ["a day's quota without a wait", quotaError(perDay), { kind: "fatal", scope: "account" }],
    ["overload", googleError(503, "UNAVAILABLE", "overloaded"), { kind: "unavailable" }],
    ["a fault", googleError(500, "INTERNAL", "An internal error"), { kind: "unavailable" }],
    [
      "no permission",
      googleError(403, "PERMISSION_DENIED", "Not this one"),
      { kind: "fatal", scope: "worker" },
    ],
    ["a bad text", googleError(400, "INVALID_ARGUMENT", "Invalid"), { kind: "rejected" }],
  ];
  test.each(rows)("%s", async (_, reply, wanted) => {
    await using server = await startGemini();
    server.next(reply);
    const error = await refusal(embedderFor(server.url).embed(["one"]));
    const { kind, scope, retryAfterMs } = error;
    expect({ kind, scope, retryAfterMs }).toMatchObject(wanted);
  });

  test("of the server itself: a wrong key is the worker's, and not shown", async () => {
    await using server = await startGemini();
    const apiKey = "AIzaWrong0123456789";
    const error = await refusal(embedderFor(server.url, { apiKey }).embed(["one"]));
    expect(error).toMatchObject({ kind: "fatal", scope: "worker" });
    expect(error.message).toContain("API key not valid");
    expect(Bun.inspect(error)).not.toContain(apiKey);
  });

  test("of the server itself: a text that is too long is at fault itself", async () => {
    await using server = await startGemini();
    const error = await refusal(embedderFor(server.url).embed(["word ".repeat(2000)]));
    expect(error).toMatchObject({ kind: "rejected", exceeded: "text" });
  });
});
