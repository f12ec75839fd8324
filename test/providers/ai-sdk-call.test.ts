// What one call of a model of the AI SDK is given, and what is made of its reply or its error.

import { describe, expect, test } from "bun:test";
import {
  InvalidResponseDataError,
  LoadAPIKeyError,
  TooManyEmbeddingValuesForCallError,
} from "ai-7";
import { EmbedderError } from "../../src/index.ts";
import { troubleOf } from "../../src/model/trouble.ts";
import { type AiSdkOptions, type AiSdkReply, aiSdk } from "../../src/providers/index.ts";
import { failure } from "../helpers/scope.ts";
import { FAKE_DIMENSIONS, FakeModel, fakeVector } from "./ai-sdk/fake-model.ts";
import { refusal } from "./helpers.ts";

const OPTIONS = { dimensions: FAKE_DIMENSIONS };

describe("the request", () => {
  test.each(["v2", "v3", "v4"] as const)(
    "%s: the texts, and nothing that was not asked for",
    async (specificationVersion) => {
      const model = new FakeModel({ specificationVersion });
      const reply = await aiSdk(model, OPTIONS).embed(["one", "two"]);
      expect(reply).toEqual({
        results: [fakeVector("one"), fakeVector("two")],
        usage: { tokens: 4 },
      });
      expect(model.calls).toEqual([{ values: ["one", "two"] }]);
    },
  );

  test("options, headers, signal and size reach the model", async () => {
    const model = new FakeModel({ specificationVersion: "v4" });
    const { signal } = new AbortController();
    const providerOptions = { fake: { inputType: "document", user: "me" } };
    const headers = { "x-team": "search" };
    const embedder = aiSdk(model, { ...OPTIONS, sendDimensions: true, providerOptions, headers });
    await embedder.embed(["one"], { signal });
    expect(model.calls).toEqual([
      { values: ["one"], abortSignal: signal, dimensions: 2, providerOptions, headers },
    ]);
    expect(embedder.task).toBe("document");
  });

  test("a query has options of its own, laid over the others", async () => {
    const model = new FakeModel();
    const embedder = aiSdk(model, {
      ...OPTIONS,
      providerOptions: { google: { taskType: "RETRIEVAL_DOCUMENT", outputDimensionality: 2 } },
      queryProviderOptions: { google: { taskType: "RETRIEVAL_QUERY" }, other: { fast: true } },
    });
    expect(await embedder.embedQuery("who?")).toEqual(Float32Array.from(fakeVector("who?")));
    expect(model.calls.map((call) => call.providerOptions)).toEqual([
      {
        google: { taskType: "RETRIEVAL_QUERY", outputDimensionality: 2 },
        other: { fast: true },
      },
    ]);
    expect(embedder.task).toBe("RETRIEVAL_DOCUMENT");
    expect(aiSdk(model, { ...OPTIONS, task: "mine" }).task).toBe("mine");
  });

  test("half a surrogate pair does not leave the house", async () => {
    const model = new FakeModel();
    await aiSdk(model, OPTIONS).embed(["a\ud83d"]);
    expect(model.calls[0]?.values).toEqual(["a\ufffd"]);
  });
});

describe("the reply", () => {
  const replyOf = (reply: unknown) => {
    const model = new FakeModel();
    model.answer = () => reply as AiSdkReply;
    return aiSdk(model, OPTIONS).embed(["one", "two"]);
  };

  test.each([
    ["nothing", undefined],
    ["an empty object", {}],
    ["one embedding too few", { embeddings: [[1, 2]] }],
    ["base64", { embeddings: "AAAA" }],
  ])("%s is not one embedding for each text", async (_, reply) => {
    const error = await failure(replyOf(reply));
    expect(error).toMatchObject({ code: "ERR_EMBEDDER_CONTRACT" });
  });

  test.each([
    ["no usage", undefined],
    ["what embedMany makes of none", { tokens: Number.NaN }],
    ["zero tokens", { tokens: 0 }],
  ])("%s: nothing is reported", async (_, usage) => {
    const embeddings = [
      [1, 2],
      [3, 4],
    ];
    expect(await replyOf({ embeddings, usage })).toEqual({
      results: embeddings,
      usage: { tokens: undefined },
    });
  });

  test("shortened vectors of the Gemini API are scaled, no others, and none against the user's will", async () => {
    const embed = async (provider: string, normalize?: boolean) => {
      const model = new FakeModel({ provider });
      model.answer = () => ({ embeddings: [[3, 4]] });
      const { results } = await aiSdk(model, { ...OPTIONS, normalize }).embed(["one"]);
      return [...(results[0] as Iterable<number>)].map((number) => Math.fround(number));
    };
    const scaled = [Math.fround(0.6), Math.fround(0.8)];
    expect(await embed("google.generative-ai")).toEqual(scaled);
    expect(await embed("google.generative-ai", false)).toEqual([3, 4]);
    expect(await embed("fake.embedding")).toEqual([3, 4]);
    expect(await embed("fake.embedding", true)).toEqual(scaled);
  });
});

describe("an abort", () => {
  test("before the call: the model is not called", async () => {
    const { promise, resolve } = Promise.withResolvers<number>();
    const model = new FakeModel({ maxEmbeddingsPerCall: promise });
    const worker = new AbortController();
    const call = failure(aiSdk(model, OPTIONS).embed(["one"], worker));
    worker.abort(new Error("the worker stops"));
    resolve(3);
    expect(await call).toBe(worker.signal.reason);
    expect(model.calls).toEqual([]);
  });

  test("during the call: its reason counts, whatever the model throws", async () => {
    const model = new FakeModel();
    const worker = new AbortController();
    model.answer = () => {
      worker.abort(new Error("the worker stops"));
      throw new Error("the request was ended");
    };
    const error = await failure(aiSdk(model, OPTIONS).embed(["one"], worker));
    expect(error).toBe(worker.signal.reason);
  });
});

/** A call of a model that throws this. */
function errorOf(thrown: Error, options: AiSdkOptions = {}): Promise<unknown> {
  const model = new FakeModel();
  model.answer = () => Promise.reject(thrown);
  return aiSdk(model, { ...OPTIONS, ...options }).embed(["a text of some length"]);
}

describe("errors in general", () => {
  test("an error that is sorted already stays so, however it is wrapped", async () => {
    const sorted = new EmbedderError("rateLimited", "slower", { retryAfterMs: 5 });
    const wrapped = Object.assign(new Error("3 tries failed"), { lastError: sorted });
    expect(await failure(errorOf(wrapped))).toBe(sorted);
  });

  test.each([
    ["of the runtime", new TypeError("fetch failed")],
    ["in the SDK's words", Object.assign(new Error("odd words"), { isRetryable: true })],
  ])("a broken network, %s, is an outage", async (_, thrown) => {
    const error = await refusal(errorOf(thrown));
    expect(error.kind).toBe("unavailable");
    expect(error.message).toBe(
      `Cannot get embeddings from fake.embedding as it must answer: ${thrown.message}`,
    );
  });

  test("neither headers nor texts are shown, whoever echoes them", async () => {
    const responseBody = "No entry with team-secret-7 for a text of some length";
    const thrown = Object.assign(new Error("Forbidden"), { statusCode: 403, responseBody });
    const error = await refusal(errorOf(thrown, { headers: { "x-team": "team-secret-7" } }));
    expect(error).toMatchObject({ kind: "fatal", scope: "worker" });
    expect(error.message).toBe("HTTP 403: No entry with *** for <text>");
    expect(error.cause).toBeUndefined();
  });
});

describe("what the SDK finds itself", () => {
  test("no key: this worker's fault, not the texts'", async () => {
    const error = await refusal(
      errorOf(new LoadAPIKeyError({ message: "OpenAI API key is missing" })),
    );
    expect(error).toMatchObject({ kind: "fatal", scope: "worker" });
    expect(error.message).toBe("OpenAI API key is missing");
  });

  test("more texts than the model said that it takes", async () => {
    const values = ["a text of some length"];
    const details = { provider: "fake", modelId: "fake-1", maxEmbeddingsPerCall: 0, values };
    const error = await refusal(errorOf(new TooManyEmbeddingValuesForCallError(details)));
    expect(error).toMatchObject({ kind: "rejected", exceeded: "items" });
    expect(error.cause).toBeUndefined();
  });

  test("anything else of the SDK spends an attempt, without the texts that it holds", async () => {
    const data = ["a text of some length"];
    const message = "Odd answer for a text of some length with sk-0123456789";
    const error = await failure(errorOf(new InvalidResponseDataError({ data, message })));
    expect(troubleOf(error).kind).toBe("unclassified");
    expect((error as Error).message).toBe("Odd answer for <text> with ***");
    expect((error as Error).cause).toBeUndefined();
  });

  test("what is no error of the SDK stays as it is", async () => {
    const own = new TypeError("undefined is not a function");
    expect(await failure(errorOf(own))).toBe(own);
  });
});
