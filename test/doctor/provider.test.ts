// The provider, on loopback: out of reach, with another key, at its limit, of another size.

import { expect, test } from "bun:test";
import { diagnose, type Embedder, type Finding } from "../../src/index.ts";
import { openAI } from "../../src/providers/index.ts";
import { FakeEmbedder, throwing } from "../helpers/embedder.ts";
import { API_KEY, openAIError, startOpenAI } from "../providers/servers/openai.ts";
import { of } from "./findings.ts";

/** What is found of a provider. It needs no Redis. */
async function look(embedder: Embedder): Promise<Finding | undefined> {
  const redis = "redis://127.0.0.1:1";
  const options = { redis, embedder, commandTimeoutMs: 50, embedTimeoutMs: 2000 };
  return of(await diagnose(options), "provider")[0];
}

test("a provider that answers is ok, after one call with one harmless text", async () => {
  await using server = await startOpenAI();
  const finding = await look(openAI({ apiKey: API_KEY, baseUrl: `${server.url}/v1` }));
  expect(finding).toMatchObject({ level: "ok" });
  expect(finding?.found).toContain("text-embedding-3-small gives 1536 dimensions");
  expect(server.received.map(({ body }) => (body as { input: unknown }).input)).toEqual([
    ["hello"],
  ]);
});

test("a refused key is told from a provider that cannot be reached, and is not shown", async () => {
  const server = await startOpenAI();
  const apiKey = "sk-wrong-abcdefghijklmnop";
  const refused = await look(openAI({ apiKey, baseUrl: `${server.url}/v1` }));
  expect(refused).toMatchObject({ level: "problem" });
  expect(refused?.found).toStartWith("The provider refuses the key: HTTP 401");
  expect(refused?.advice).toStartWith("Check the key");
  expect(JSON.stringify(refused)).not.toContain("abcdefghijklmnop");

  await server[Symbol.asyncDispose]();
  const away = await look(openAI({ apiKey: API_KEY, baseUrl: `${server.url}/v1` }));
  expect(away).toMatchObject({ level: "problem" });
  expect(away?.found).toStartWith("The provider cannot be reached");
  expect(away?.advice).toContain("`baseUrl`");
});

test("a limit is a warning with the wait; another model and a deaf provider are problems", async () => {
  await using server = await startOpenAI();
  const embedder = openAI({ apiKey: API_KEY, baseUrl: `${server.url}/v1` });
  server.next(
    openAIError(429, "Slow down", { code: "rate_limit_exceeded" }, { "retry-after": "7" }),
  );
  const limited = await look(embedder);
  expect(limited).toMatchObject({ level: "warning" });
  expect(limited?.advice).toContain("for 7 s");

  server.next(openAIError(404, "The model does not exist", { code: "model_not_found" }));
  const unknown = await look(embedder);
  expect(unknown).toMatchObject({ level: "problem" });
  expect(unknown?.advice).toContain('has the model "text-embedding-3-small"');

  server.next("cut");
  expect(await look(embedder)).toMatchObject({ level: "problem" });
});

test("vectors of another size than the embedder says are a problem", async () => {
  const embedder = new FakeEmbedder({ dimensions: 8 });
  embedder.always(() => [new Float32Array([1, 2, 3])]);
  const finding = await look(embedder);
  expect(finding).toMatchObject({ level: "problem" });
  expect(finding?.found).toContain("8 numbers");
  expect(finding?.found).toContain("3 numbers");
  expect(finding?.advice).toContain("`dimensions`");
});

test("an embedder that breaks in a way of its own is told with its words, and without the text", async () => {
  const embedder = new FakeEmbedder();
  embedder.always(throwing(new Error("tensor out of bounds")));
  const finding = await look(embedder);
  expect(finding).toMatchObject({ level: "problem" });
  expect(finding?.found).toBe("The embedder fails: tensor out of bounds");
});
