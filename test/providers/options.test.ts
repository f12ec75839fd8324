// Options of providers: keys from options or the environment, clear errors, and no key ever shown.

import { afterEach, describe, expect, test } from "bun:test";
import { resolveOptions } from "../../src/model/options.ts";
import {
  gemini,
  type OpenAICompatibleOptions,
  openAI,
  openAICompatible,
  openRouter,
} from "../../src/providers/index.ts";
import { optionError } from "./helpers.ts";

const VARIABLES = ["OPENAI_API_KEY", "OPENROUTER_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY"];
const before = VARIABLES.map((name) => [name, process.env[name]] as const);

function setOnly(variables: Readonly<Record<string, string>>): void {
  for (const name of VARIABLES) {
    if (variables[name] === undefined) delete process.env[name];
    else process.env[name] = variables[name];
  }
}

afterEach(() => {
  setOnly(Object.fromEntries(before.filter(([, value]) => value !== undefined)) as never);
});

const KEY = "key-0123456789-secret";
const space = { model: "m", dimensions: 8 };

const makers = {
  openAI: (options: object) => openAI(options),
  openRouter: (options: object) => openRouter({ ...space, ...options }),
  gemini: (options: object) => gemini(options),
  openAICompatible: (options: object) =>
    openAICompatible({ ...space, baseUrl: "http://127.0.0.1:1/v1", ...options }),
};
const entries = Object.entries(makers);

/** The headers that a call would carry. */
async function headersOf(make: (options: object) => ReturnType<typeof openAI>, options: object) {
  let found: RequestInit["headers"] = {};
  const embedder = make({
    ...options,
    fetch: (_: string, init: RequestInit) => {
      found = init.headers ?? {};
      return Promise.reject(new TypeError("fetch failed"));
    },
  });
  await embedder.embed(["one"]).catch(() => {});
  return found as Record<string, string>;
}

describe("the key", () => {
  const sources: [keyof typeof makers, Record<string, string>, string][] = [
    ["openAI", { OPENAI_API_KEY: KEY }, "authorization"],
    ["openRouter", { OPENROUTER_API_KEY: KEY }, "authorization"],
    ["gemini", { GEMINI_API_KEY: KEY, GOOGLE_API_KEY: "other-key" }, "x-goog-api-key"],
    ["gemini", { GOOGLE_API_KEY: KEY }, "x-goog-api-key"],
  ];
  test.each(sources)("of %s comes from %j", async (name, variables, header) => {
    setOnly(variables);
    const value = header === "authorization" ? `Bearer ${KEY}` : KEY;
    expect((await headersOf(makers[name], {}))[header]).toBe(value);
    const given = await headersOf(makers[name], { apiKey: "given-key" });
    expect(given[header]).toBe(value.replace(KEY, "given-key"));
  });

  const missing: [keyof typeof makers, string][] = [
    ["openAI", "OPENAI_API_KEY"],
    ["openRouter", "OPENROUTER_API_KEY"],
    ["gemini", "GEMINI_API_KEY or GOOGLE_API_KEY"],
  ];
  test.each(missing)("of %s that is missing is named by %s", (name, variable) => {
    setOnly({});
    const error = optionError(() => makers[name]({}));
    expect(error).toMatchObject({ code: "ERR_OPTION_INVALID" });
    expect(error.message).toContain(variable);
    process.env["OPENAI_API_KEY"] = "";
    expect(optionError(() => makers[name]({})).message).toContain(variable);
  });

  test.each(entries)("of %s that cannot be sent is refused, and not shown", (_, make) => {
    for (const apiKey of [`${KEY}\n`, `${KEY} x`, "", `${KEY}é`, 42, { key: KEY }]) {
      const error = optionError(() => make({ apiKey }));
      expect(error).toMatchObject({ code: "ERR_OPTION_INVALID" });
      expect(error.message).toContain("`apiKey`");
      expect(error.message).not.toContain("secret");
    }
  });

  test.each(entries)("of %s is nowhere in the embedder", (_, make) => {
    const embedder = make({ apiKey: KEY, headers: { "x-other": "other-secret" } });
    const shown = Bun.inspect(embedder, { depth: 10 }) + JSON.stringify(embedder);
    expect(shown).not.toMatch(/secret/);
  });
});

describe("other options", () => {
  const wrong: [object, string][] = [
    [{ baseUrl: "not a url" }, "baseUrl"],
    [{ baseUrl: "ftp://x" }, "baseUrl"],
    [{ baseUrl: "https://me:secret@x/v1" }, "baseUrl"],
    [{ baseUrl: 42 }, "baseUrl"],
    [{ headers: { "x-odd": "secret\n" } }, "headers.x-odd"],
    [{ headers: { "bad name": "secret" } }, "headers.bad name"],
    [{ headers: { "x-odd": 42 } }, "headers.x-odd"],
    [{ headers: "secret" }, "headers"],
    [{ limits: { maxItems: 0 } }, "limits.maxItems"],
    [{ limits: { maxThings: 1 } }, "limits.maxThings"],
    [{ account: "a{b}" }, "account"],
    [{ fetch: "fetch" }, "fetch"],
    [{ model: "" }, "model"],
    [{ odd: 1 }, "odd"],
    [{ apikey: "secret" }, "apikey"],
  ];
  test.each(entries)("of %s are checked", (_, make) => {
    for (const [options, name] of wrong) {
      const error = optionError(() => make({ apiKey: KEY, ...options }));
      expect(error.code).toBe("ERR_OPTION_INVALID");
      // An OpenAI model that is not known needs a size first.
      if (!("model" in options)) expect(error.message).toContain(`\`${name}\``);
      expect(error.message).not.toContain("secret");
    }
  });

  const own: [keyof typeof makers, object, string][] = [
    ["openAICompatible", { dimensions: undefined }, "dimensions"],
    ["openAICompatible", { server: "other" }, "server"],
    ["openAICompatible", { encodingFormat: "int8" }, "encodingFormat"],
    ["openAICompatible", { task: "a\nb" }, "task"],
    ["openAICompatible", { documentPrefix: 1 }, "documentPrefix"],
    ["openAICompatible", { extraBody: "x" }, "extraBody"],
    ["gemini", { outputDimensionality: 100 }, "outputDimensionality"],
    ["gemini", { outputDimensionality: 4096 }, "outputDimensionality"],
    ["gemini", { taskType: "OTHER" }, "taskType"],
    ["gemini", { normalize: "yes" }, "normalize"],
    ["gemini", { model: "gemini-embedding-2", queryTaskType: "RETRIEVAL_QUERY" }, "queryTaskType"],
  ];
  test.each(own)("%s refuses %j", (name, options, option) => {
    const error = optionError(() => makers[name]({ apiKey: KEY, ...options }));
    expect(error.code).toBe("ERR_OPTION_INVALID");
    expect(error.message).toContain(`\`${option}\``);
  });

  test.each(entries)("%s makes what a queue takes", (_, make) => {
    const embedder = make({ apiKey: KEY, headers: undefined, account: "mine" });
    expect(resolveOptions({ embedder }).embedder?.account).toBe("mine");
  });
});

describe("what is meant", () => {
  const sentences: [keyof typeof makers, object, string][] = [
    ["openAI", { apikey: KEY }, "`apikey` as it is not an option: did you mean `apiKey`?"],
    ["openRouter", { apikey: KEY }, "`apikey` as it is not an option: did you mean `apiKey`?"],
    ["openRouter", { baseURL: "x" }, "`baseURL` as it is not an option: did you mean `baseUrl`?"],
    [
      "gemini",
      { apiKey: KEY, dimensions: 768 },
      "`dimensions` as it is not an option: did you mean `outputDimensionality`?",
    ],
    [
      "openAICompatible",
      { limits: { maxItem: 5 } },
      "`limits.maxItem` as it is not an option: did you mean `maxItems`?",
    ],
    ["openAI", { inputType: "query" }, "`inputType` as it is not an option"],
    ["openAI", { encodingFormat: "float" }, "`encodingFormat` as it is not an option"],
  ];
  test.each(sentences)("%s says of %j what is wrong first", (name, options, sentence) => {
    setOnly({});
    expect(optionError(() => makers[name](options)).message).toBe(
      `Cannot use the option ${sentence}`,
    );
  });

  test("what is missing is said to be missing, with what it must be", () => {
    const options = { baseUrl: "http://x/v1", model: "m" } as OpenAICompatibleOptions;
    expect(optionError(() => openAICompatible(options)).message).toBe(
      "Cannot use the option `dimensions` as it must be a whole number from 1 to 65536: it is missing",
    );
  });

  test("a key in the place of the options is refused, and not shown", () => {
    const error = optionError(() => openAI(KEY as unknown as object));
    expect(error.message).toBe("Cannot use the options as they must be an object: they are a text");
  });
});

describe("an address", () => {
  const addresses: [unknown, string][] = [
    ["localhost:80/v1", "begins with http:// or https://: it has no such beginning"],
    ["me:secret@x/v1", "begins with http:// or https://: it has no such beginning"],
    ["ftp://me:secret@x", "begins with http:// or https://: it begins with ftp://"],
    ["http://", "must be a valid address: it is none (not shown)"],
    ["https://me:secret@x/v1", "must be without user and password: it has them"],
    ["https://x/v1#secret", "must be without a fragment: it has one"],
    [undefined, "begins with http:// or https://: it is missing"],
    [42, "begins with http:// or https://: it is 42"],
    ["http://x/v1/embeddings", "must be the address up to the part before /embeddings"],
    ["http://x/v1/embeddings/?a=secret", "must be the address up to the part before /embeddings"],
  ];
  test.each(addresses)("such as %p is refused with what is wrong", (baseUrl, wanted) => {
    const error = optionError(() => makers.openAICompatible({ baseUrl }));
    expect(error.code).toBe("ERR_OPTION_INVALID");
    expect(error.message).toContain("`baseUrl`");
    expect(error.message).toContain(wanted);
    expect(error.message).not.toContain("secret");
  });
});
