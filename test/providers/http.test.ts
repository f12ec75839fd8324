// What can happen to a call on its way, the same for every provider over HTTP.

import { describe, expect, test } from "bun:test";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import type { EmbedderError } from "../../src/index.ts";
import { gemini, openAICompatible } from "../../src/providers/index.ts";
import { until } from "../helpers/until.ts";
import { refusal } from "./helpers.ts";
import { GEMINI_KEY, startGemini } from "./servers/gemini.ts";
import type { Fault } from "./servers/loopback.ts";
import { API_KEY, openAIError, startOpenAI } from "./servers/openai.ts";

const embedderFor = (url: string) =>
  openAICompatible({
    baseUrl: `${url}/v1`,
    model: "text-embedding-3-small",
    dimensions: 1536,
    apiKey: API_KEY,
  });

async function refusalOf(fault: Fault): Promise<EmbedderError> {
  await using server = await startOpenAI();
  server.always(fault);
  return await refusal(embedderFor(server.url).embed(["a text of some length"]));
}

describe("a path that is not there", () => {
  test.each([404, 405])(
    "HTTP %i names the path that was called, without query and key",
    async (status) => {
      await using server = await startOpenAI();
      server.always({ status, body: `${status} page not found` });
      const embedder = openAICompatible({
        baseUrl: `${server.url}/v2/${API_KEY}?api-key=query-secret`,
        model: "m",
        dimensions: 8,
        apiKey: API_KEY,
      });
      const error = await refusal(embedder.embed(["one"]));
      expect(error).toMatchObject({ kind: "fatal", scope: "worker" });
      expect(error.message).toStartWith(
        `HTTP ${status}: ${status} page not found (called: 127.0.0.1:`,
      );
      expect(error.message).toEndWith("/v2/***/embeddings)");
      expect(error.message).not.toContain("secret");
    },
  );

  test("other refusals do not name it", async () => {
    for (const fault of [{ status: 403, body: "no" }, openAIError(404, "no such model")]) {
      expect((await refusalOf(fault)).message).not.toContain("called");
    }
  });
});

describe("a provider out of reach", () => {
  test("nobody listens: unavailable, with the reason and the cause", async () => {
    const port = await freePort();
    const error = await refusal(embedderFor(`http://127.0.0.1:${port}`).embed(["one"]));
    expect(error.kind).toBe("unavailable");
    expect(error.message).toContain(`127.0.0.1:${port}`);
    expect(error.cause).toBeInstanceOf(Error);
  });

  test("the reply is cut: unavailable", async () => {
    expect((await refusalOf("cut")).kind).toBe("unavailable");
  });

  test.each(["<html>a page</html>", '{"data": [', ""])(
    "the reply is %p: unavailable",
    async (body) => {
      expect((await refusalOf({ status: 200, body })).kind).toBe("unavailable");
    },
  );

  test("the reply is larger than any rightful one: unavailable, and not read to its end", async () => {
    const error = await refusalOf({ status: 200, body: `"${"x".repeat(4_000_000)}"` });
    expect(error.kind).toBe("unavailable");
    expect(error.message).toContain("bytes");
  });

  test("a redirect is not followed: the key would go with it", async () => {
    await using other = await startOpenAI();
    const headers = { location: `${other.url}/v1/embeddings` };
    const error = await refusalOf({ status: 307, headers, body: "" });
    expect(error).toMatchObject({ kind: "fatal", scope: "worker" });
    expect(other.received).toEqual([]);
  });
});

describe("refusals", () => {
  const rows: [string, Fault, Partial<EmbedderError>][] = [
    [
      "Retry-After",
      openAIError(429, "slower", {}, { "retry-after": "90" }),
      { kind: "rateLimited", retryAfterMs: 90_000 },
    ],
    [
      "retry-after-ms",
      openAIError(429, "slower", {}, { "retry-after-ms": "250", "retry-after": "1" }),
      { kind: "rateLimited", retryAfterMs: 250 },
    ],
    [
      "x-ratelimit-reset",
      openAIError(
        429,
        "slower",
        {},
        { "x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6m0s" },
      ),
      { kind: "rateLimited", retryAfterMs: 360_000 },
    ],
    [
      "no quota left",
      openAIError(429, "no quota", { code: "insufficient_quota" }),
      { kind: "fatal", scope: "account" },
    ],
    [
      "an outage with a wait",
      openAIError(503, "overloaded", {}, { "retry-after": "7" }),
      { kind: "unavailable", retryAfterMs: 7000 },
    ],
    [
      "a page of a gateway",
      { status: 502, body: "<html>bad gateway</html>" },
      { kind: "unavailable" },
    ],
    [
      "a page of a firewall",
      { status: 403, body: "<!DOCTYPE html><title>Attention Required!</title>" },
      { kind: "fatal", scope: "worker" },
    ],
    ["a page with 400", { status: 400, body: "<html>Bad Request</html>" }, { kind: "fatal" }],
    ["400 and nothing else", { status: 400, body: "" }, { kind: "fatal" }],
    [
      "a body too large",
      { status: 413, body: "<html>too large</html>" },
      { kind: "rejected", exceeded: "bytes" },
    ],
    [
      "no credit, with 200",
      { status: 200, body: { error: { code: 402, message: "Insufficient credits" } } },
      { kind: "fatal", scope: "account" },
    ],
    [
      "an error that says no more, with 200",
      { status: 200, body: { error: { message: "Upstream timed out", code: "server_error" } } },
      { kind: "unavailable" },
    ],
    [
      "a rate limit, with 200",
      { status: 200, body: { error: { code: 429, message: "slower" }, data: [] } },
      { kind: "rateLimited" },
    ],
  ];
  test.each(rows)("%s", async (_, fault, wanted) => {
    expect(await refusalOf(fault)).toMatchObject(wanted);
  });

  test("a date in Retry-After is measured by the provider's clock", async () => {
    const headers = {
      date: "Wed, 21 Oct 2026 07:27:00 GMT",
      "retry-after": "Wed, 21 Oct 2026 07:28:30 GMT",
    };
    const error = await refusalOf(openAIError(429, "slower", {}, headers));
    expect(error.retryAfterMs).toBe(90_000);
  });

  test.each(["", false, null, {}])("the error %p beside the data is none", async (error) => {
    await using server = await startOpenAI();
    server.next((right) => ({ ...right, body: { ...(right.body as object), error } }));
    const { results } = await embedderFor(server.url).embed(["one"]);
    expect(results).toHaveLength(1);
  });

  test("a body that does not end keeps back neither the status nor the wait", async () => {
    const hanging = () =>
      new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array([123])) });
    const refused = (status: number) =>
      refusal(
        openAICompatible({
          baseUrl: "http://127.0.0.1:9/v1",
          model: "m",
          dimensions: 2,
          fetch: () =>
            Promise.resolve(new Response(hanging(), { status, headers: { "retry-after": "7" } })),
        }).embed(["one"]),
      );
    const [slower, bad] = await Promise.all([refused(429), refused(400)]);
    expect(slower).toMatchObject({ kind: "rateLimited", retryAfterMs: 7000 });
    expect(slower.message).toBe("HTTP 429");
    // Not the API's own words: no text is condemned.
    expect(bad.kind).toBe("fatal");
  });

  test("an endless refusal is read only so far", async () => {
    const error = await refusalOf({ status: 503, body: "x".repeat(3_000_000) });
    expect(error.kind).toBe("unavailable");
    expect(error.message.length).toBeLessThan(600);
  });
});

describe("the signal", () => {
  test("ends a call at once, with its own reason", async () => {
    await using server = await startOpenAI();
    server.always("hang");
    const controller = new AbortController();
    const call = embedderFor(server.url).embed(["one"], { signal: controller.signal });
    const caught = call.catch((thrown: unknown) => thrown);
    await until(() => server.received.length === 1, { what: "the call to arrive" });
    const reason = new Error("enough");
    controller.abort(reason);
    expect(await caught).toBe(reason);
  });

  test("that was raised before makes no call", async () => {
    await using server = await startGemini();
    const embedder = gemini({ baseUrl: `${server.url}/v1beta`, apiKey: GEMINI_KEY });
    const reason = new Error("enough");
    const signal = AbortSignal.abort(reason);
    expect(await embedder.embed(["one"], { signal }).catch((thrown: unknown) => thrown)).toBe(
      reason,
    );
    expect(server.received).toEqual([]);
  });
});

/** A port on which nobody listens. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}
