// What the page of providers says of models, keys and addresses is what the embedders do.

import { expect, test } from "bun:test";
import { EmbedqError } from "../../src/index.ts";
import { gemini, openAI, openRouter } from "../../src/providers/index.ts";
import { textOf } from "./examples.ts";

const rows = new Map(
  [...(await textOf("docs/providers.md")).matchAll(/^\| `(\w+)\(\)` \| (?!for)(.*) \|$/gm)].map(
    ([, name = "", cells = ""]) => [name, codesIn(cells)],
  ),
);
const calls: { url: string }[] = [];
const fetch = (url: string) => {
  calls.push({ url });
  return Promise.reject(new TypeError("not now"));
};

test.each([
  ["openAI", openAI, {}],
  ["openRouter", openRouter, { model: "any", dimensions: 8 }],
  ["gemini", gemini, {}],
] as const)("%s", async (name, make, options) => {
  const shown = rows.get(name) ?? [];
  const embedder = (make as typeof openAI)({ ...options, apiKey: "key", fetch: fetch as never });
  if (!("model" in options)) expect(shown).toContain(embedder.model);
  await embedder.embed(["text"]).catch(() => {});
  const [address = ""] = shown.filter((code) => code.startsWith("https://"));
  expect(address).not.toBe("");
  expect(calls.at(-1)?.url).toStartWith(`${address}/`);

  const variables = shown.filter((code) => code.endsWith("_API_KEY"));
  const saved = variables.map((variable) => process.env[variable]);
  for (const variable of variables) delete process.env[variable];
  try {
    (make as typeof openAI)(options);
    throw new Error("expected it to miss its key");
  } catch (error) {
    expect(error).toBeInstanceOf(EmbedqError);
    expect((error as Error).message).toContain(variables.join(" or "));
  } finally {
    variables.forEach((variable, i) => {
      if (saved[i] !== undefined) process.env[variable] = saved[i];
    });
  }
});

function codesIn(cells: string): string[] {
  return [...cells.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code);
}
