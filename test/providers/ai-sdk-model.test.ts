// What a model of the AI SDK says of itself becomes limits, and what is no such model is refused.

import { describe, expect, test } from "bun:test";
import {
  type AiSdkModel,
  type AiSdkOptions,
  aiSdk,
  gemini,
  openAI,
} from "../../src/providers/index.ts";
import { items, testScope } from "../helpers/scope.ts";
import { FAKE_DIMENSIONS, FakeModel, fakeVector } from "./ai-sdk/fake-model.ts";
import { optionError, refusal } from "./helpers.ts";

const OPTIONS = { dimensions: FAKE_DIMENSIONS };
const apiKey = "sk-test-0123456789abcdef";

describe("limits", () => {
  test.each(["text-embedding-3-small", "text-embedding-3-large", "text-embedding-ada-002"])(
    "OpenAI's %s has those of openAI(), by its name alone",
    (modelId) => {
      const model = new FakeModel({
        provider: "openai.embedding",
        modelId,
        maxEmbeddingsPerCall: 2048,
      });
      const { limits, dimensions, ...theirs } = aiSdk(model);
      const ours = openAI({ model: modelId, apiKey });
      expect(limits).toEqual(ours.limits as object);
      expect(dimensions).toBe(ours.dimensions);
      // One queue can go on with the other.
      expect(theirs.model).toBe(ours.model);
    },
  );

  test.each(["gemini-embedding-001", "gemini-embedding-2"])(
    "Gemini's %s has those of gemini()",
    (modelId) => {
      const provider = "google.generative-ai";
      const model = new FakeModel({ provider, modelId, maxEmbeddingsPerCall: 100 });
      const ours = gemini({ model: modelId, apiKey });
      expect(aiSdk(model).limits).toEqual(ours.limits as object);
      expect(aiSdk(model).dimensions).toBe(ours.dimensions);
    },
  );

  test("an unknown one has its own: texts, and bytes where the SDK keeps them", () => {
    const model = Object.assign(new FakeModel({ maxEmbeddingsPerCall: 96 }), {
      [Symbol.for("vercel.ai.embeddingModel.maxInputBytesPerCall")]: 300_000,
    });
    expect(aiSdk(model, OPTIONS).limits).toEqual({ maxItems: 96, maxBytes: 300_000 });
  });

  test("limits of the user count, but none above the model's own", () => {
    const model = new FakeModel({ maxEmbeddingsPerCall: 96 });
    const limitsWith = (limits: AiSdkOptions["limits"]) =>
      aiSdk(model, { ...OPTIONS, limits }).limits;
    expect(limitsWith({ maxItems: 10, maxTokens: 7 })).toEqual({ maxItems: 10, maxTokens: 7 });
    expect(limitsWith({ maxItems: 97 })).toEqual({ maxItems: 96 });
  });

  test.each([undefined, Number.POSITIVE_INFINITY])("%p is no limit", (none) => {
    const model = new FakeModel({ maxEmbeddingsPerCall: none });
    expect(aiSdk(model, OPTIONS).limits?.maxItems).toBeUndefined();
    expect(aiSdk(model, { ...OPTIONS, limits: { maxItems: 500 } }).limits?.maxItems).toBe(500);
  });

  test.each([
    ["a number", 3],
    ["a promise", Promise.resolve(3)],
  ])(
    "more than the model takes are never sent in one call, be its limit %s",
    async (_, maxEmbeddingsPerCall) => {
      const model = new FakeModel({ maxEmbeddingsPerCall });
      const embedder = aiSdk(model, OPTIONS);
      const error = await refusal(embedder.embed(["a", "b", "c", "d"]));
      expect(error).toMatchObject({ kind: "rejected", exceeded: "items" });
      expect(error.message).toBe("Cannot embed 4 texts in one call as the model takes at most 3");
      expect(model.calls).toEqual([]);
    },
  );

  test("a queue finds its way below a limit that is only promised", async () => {
    await using scope = await testScope();
    const model = new FakeModel({ maxEmbeddingsPerCall: Promise.resolve(3) });
    const embedder = aiSdk(model, OPTIONS);
    const queue = await scope.queue({ embedder, flushIntervalMs: 0 });
    const docs = items(40);
    const tickets = await queue.enqueueMany(docs);
    const vectors = await Promise.all(tickets.map((ticket) => ticket.embedding()));
    expect(vectors.map((vector) => [...vector])).toEqual(docs.map(({ text }) => fakeVector(text)));
    const sizes = model.calls.map(({ values }) => values.length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(3);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(40);
  });

  test("a promise that fails is a failure of the call, and of nothing else", async () => {
    const lost = Object.assign(new Error("no such model"), { status: 404 });
    const maxEmbeddingsPerCall = Promise.reject(lost);
    const embedder = aiSdk(new FakeModel({ maxEmbeddingsPerCall }), OPTIONS);
    expect(await refusal(embedder.embed(["one"]))).toMatchObject({ kind: "fatal" });
  });

  test("nor does one that fails unasked end the process", async () => {
    const unhandled: unknown[] = [];
    const listen = (reason: unknown) => unhandled.push(reason);
    process.on("unhandledRejection", listen);
    aiSdk(new FakeModel({ maxEmbeddingsPerCall: Promise.reject(new Error("lost")) }), OPTIONS);
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", listen);
    expect(unhandled).toEqual([]);
  });
});

describe("what is no model, and what no option", () => {
  const odd: [string, unknown, string][] = [
    [
      "the id of a model at the gateway",
      "openai/text-embedding-3-small",
      'option `model` as it must be an embedding model object, such as openai.embedding("…") gives: it is "openai/text-embedding-3-small"',
    ],
    ["nothing", undefined, "gives: it is missing"],
    ["a provider", () => new FakeModel(), "gives: it is a function"],
    [
      "a model of an older specification",
      { ...new FakeModel(), specificationVersion: "v1" },
      'option `model.specificationVersion` as it must be one of "v2", "v3", "v4": it is "v1"',
    ],
    [
      "a language model",
      { specificationVersion: "v3", provider: "openai.responses", modelId: "gpt" },
      "option `model.doEmbed` as it must be a function, as embedding models have it: it is missing",
    ],
    [
      "a model without a name",
      new FakeModel({ modelId: "" }),
      'option `model.modelId` as it must be a name without line breaks: it is ""',
    ],
    [
      "a limit that is none",
      new FakeModel({ maxEmbeddingsPerCall: 0 }),
      "option `model.maxEmbeddingsPerCall` as it must be a whole number from 1, Infinity, or undefined: it is 0",
    ],
  ];
  test.each(odd)("%s", (_, model, message) => {
    const error = optionError(() => aiSdk(model as AiSdkModel, OPTIONS));
    expect(error.code).toBe("ERR_OPTION_INVALID");
    expect(error.message).toEndWith(message);
  });

  const oddOptions: [string, object, string][] = [
    [
      "no size of the vectors",
      {},
      "option `dimensions` as it must be given for a model that is not known: it is missing",
    ],
    [
      "a size that the form has no place for",
      { ...OPTIONS, sendDimensions: true },
      "option `sendDimensions` as it must be left out for a model of specification v3: it is true",
    ],
    ["a key", { ...OPTIONS, apiKey }, "option `apiKey` as it is not an option"],
    [
      "a key among the providers",
      { ...OPTIONS, providerOptions: { openai: apiKey } },
      "option `providerOptions` as it must be an object with an object for each provider: it is an object",
    ],
    [
      "a header that is no text",
      { ...OPTIONS, headers: { "x-key": [apiKey] } },
      "option `headers` as it must be an object with a text for each header: it is an object",
    ],
    [
      "a limit that is none",
      { ...OPTIONS, limits: { maxItems: 0 } },
      "must be at least 1: it is 0",
    ],
  ];
  test.each(oddOptions)("%s", (_, options, message) => {
    const error = optionError(() => aiSdk(new FakeModel(), options));
    expect(error.code).toBe("ERR_OPTION_INVALID");
    expect(error.message).toEndWith(message);
    expect(error.message).not.toContain(apiKey);
  });
});
