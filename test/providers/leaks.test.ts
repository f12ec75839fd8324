// Neither a key nor a text is in what a provider's call throws, whoever repeats them.

import { expect, test } from "bun:test";
import type { EmbedderError } from "../../src/index.ts";
import { openAICompatible } from "../../src/providers/index.ts";
import { refusal } from "./helpers.ts";
import type { Fault } from "./servers/loopback.ts";
import { openAIError, startOpenAI } from "./servers/openai.ts";

const KEY = "Zq7verysecretkey0123456789";
const TEXT = 'PRIVATE record 4711 of a "patient", and much more than any message has room for';
const LONG = "PRIVATE patient record ".repeat(300);

function embedderFor(url: string, rest: object = {}) {
  const common = { model: "m", dimensions: 2, apiKey: KEY };
  return openAICompatible({ ...common, baseUrl: `${url}/v1`, ...rest });
}

function expectNothingShown(error: EmbedderError): void {
  const all = Bun.inspect(error, { depth: 10 }) + JSON.stringify(error) + String(error.stack);
  expect(all).not.toMatch(/verysecret|PRIVATE|patient/);
  expect(error.message.length).toBeLessThanOrEqual(500);
}

const echoes: [string, string, string][] = [
  ["whole", TEXT, TEXT],
  ["whole, and longer than any message", LONG, LONG],
  ["cut", TEXT, `'${TEXT.slice(0, 20)}...'`],
  ["as JSON", TEXT, JSON.stringify(TEXT)],
  ["with other blanks", TEXT, TEXT.replaceAll(" ", "  ")],
];
test.each(echoes)("a text that is echoed %s is not shown", async (_, text, echo) => {
  await using server = await startOpenAI();
  server.always(openAIError(400, `${KEY}: cannot embed ${echo} with ${KEY}`));
  const error = await refusal(embedderFor(server.url).embed([text]));
  expect(error.kind).toBe("rejected");
  expect(error.message).toContain("***: cannot embed");
  expect(error.message).toContain("<text>");
  expectNothingShown(error);
});

test("a key that is the code of the refusal is not shown", async () => {
  await using server = await startOpenAI();
  const fault: Fault = openAIError(401, "No", { code: KEY });
  server.always(fault);
  expectNothingShown(await refusal(embedderFor(server.url).embed([TEXT])));
});

test("a key in the query of the address is not shown", async () => {
  await using server = await startOpenAI();
  const inQuery = `/v1?subscription-key=${encodeURIComponent("a/verysecret+key")}&api-version=2024-10-21`;
  server
    .always(({ body }) => ({ status: 401, body }))
    .next(
      openAIError(401, "No access with a/verysecret+key to 2024-10-21"),
      openAIError(401, `No POST ${inQuery}`),
    );
  const embedder = embedderFor(server.url, { baseUrl: server.url + inQuery });
  const decoded = await refusal(embedder.embed([TEXT]));
  expect(decoded.message).toContain("No access with *** to 2024-10-21");
  expectNothingShown(decoded);
  expectNothingShown(await refusal(embedder.embed([TEXT])));
});

test("of an error of one's own fetch the name, the code and the message are left", async () => {
  const fetch = (_: string, { headers, body }: RequestInit) => {
    const details = { config: { headers, data: body }, code: "ECONNRESET" };
    const message = `socket broke with ${KEY}, sending ${String(body)} ${"x".repeat(1000)}`;
    return Promise.reject(Object.assign(new RangeError(message), details));
  };
  const error = await refusal(embedderFor("http://127.0.0.1:9", { fetch }).embed([TEXT]));
  expectNothingShown(error);
  expect(error.kind).toBe("unavailable");
  expect(error.message).toEndWith("must answer: ECONNRESET");
  const cause = error.cause as Error;
  expect(cause).toMatchObject({ name: "RangeError", code: "ECONNRESET" });
  expect(cause.message).toStartWith("socket broke with ***");
  expect(cause.message).toHaveLength(500);
});
