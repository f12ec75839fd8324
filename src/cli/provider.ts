// The embedder that the options name: one that comes with embedq, or what a file of the user's exports.

import process from "node:process";
import { type Embedder, type EmbedFunction, EmbedqError } from "../index.ts";
import { gemini, hashing, openAI, openAICompatible, openRouter } from "../providers/index.ts";
import { loadEmbedder } from "./embedder-file.ts";
import { UsageError } from "./errors.ts";
import { PROVIDER, PROVIDERS, type ProviderValues } from "./options/shared.ts";
import { unlessRaised } from "./pause.ts";

/** What a queue or a worker is given: an embedder, or a function with its model beside it. */
export interface EmbedderOptions {
  readonly embedder: Embedder | EmbedFunction;
  readonly model?: string | undefined;
  readonly dimensions?: number | undefined;
  readonly task?: string | undefined;
}

/**
 * @param signal Ends the waiting for a file that does not come to its end.
 * @throws {UsageError} Where no provider is named, or an option that it needs is missing.
 */
export async function embedderOf(
  values: ProviderValues,
  signal: AbortSignal,
): Promise<EmbedderOptions> {
  try {
    return await chosen(values, signal);
  } catch (error) {
    throw withoutKey(error) ? keyMissing(values, error) : error;
  }
}

async function chosen(values: ProviderValues, signal: AbortSignal): Promise<EmbedderOptions> {
  const { provider, model, dimensions, task, baseUrl } = values;
  switch (provider) {
    case undefined:
      throw new UsageError(
        `Which provider? Name it with --provider or EMBEDQ_PROVIDER: ${PROVIDERS.join(", ")}, or a file like ./embedder.mjs`,
      );
    case "openai":
      return { embedder: openAI({ model, dimensions, task, baseUrl }) };
    case "openrouter":
      return {
        embedder: openRouter({
          model: needed("model", model),
          dimensions: needed("dimensions", dimensions),
          baseUrl,
        }),
        task,
      };
    case "gemini":
      return { embedder: gemini({ model, outputDimensionality: dimensions, baseUrl }), task };
    case "openai-compatible":
      return {
        embedder: openAICompatible({
          baseUrl: needed("baseUrl", baseUrl),
          model: needed("model", model),
          dimensions: needed("dimensions", dimensions),
          task,
          apiKey: process.env["EMBEDQ_API_KEY"] || undefined,
        }),
      };
    case "hashing":
      return { embedder: hashing({ dimensions }), task };
    default:
      return fromFile(provider, values, signal);
  }
}

/** Whether a provider found no key: its message names the option of the library, which is no flag. */
function withoutKey(error: unknown): error is EmbedqError {
  return (
    error instanceof EmbedqError &&
    error.code === "ERR_OPTION_INVALID" &&
    /`apiKey` .*: it is missing$/.test(error.message)
  );
}

function keyMissing({ provider }: ProviderValues, cause: EmbedqError): UsageError {
  const names = cause.message.match(/\b[A-Z]+_API_KEY\b/g) ?? [];
  return new UsageError(`The key for ${provider} is missing in the environment`, {
    cause,
    hint: `export ${names[0] ?? "its variable"}=…${names[1] ? `, or ${names[1]}` : ""}; hashing needs none, for trying out`,
  });
}

function needed<T>(name: keyof ProviderValues, value: T | undefined): T {
  if (value !== undefined) return value;
  throw new UsageError(`This provider needs ${PROVIDER[name].flags}`);
}

/** What a file exports: an embedder, or a function from texts to vectors. */
async function fromFile(
  path: string,
  values: ProviderValues,
  signal: AbortSignal,
): Promise<EmbedderOptions> {
  if (!/[./\\]/.test(path)) {
    throw new UsageError(
      `--provider must be one of ${PROVIDERS.join(", ")}, or a file like ./embedder.mjs: it is ${JSON.stringify(path)}`,
    );
  }
  const { model, dimensions, task } = values;
  const embedder = await unlessRaised(loadEmbedder(path), signal);
  const isNamed = model !== undefined && dimensions !== undefined;
  if (typeof embedder === "function" && !isNamed) {
    throw new UsageError(
      `The file ${path} exports a function: name its model with --model and --dimensions, or export { model, dimensions, embed }`,
    );
  }
  return { embedder, model, dimensions, task };
}
