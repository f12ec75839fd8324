// The embedder that the options name: one that comes with embedq, or what a file of the user's exports.

import { resolve } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import type { Embedder, EmbedFunction } from "../index.ts";
import { gemini, hashing, openAI, openAICompatible, openRouter } from "../providers/index.ts";
import { messageOf, UsageError } from "./errors.ts";
import { PROVIDER, PROVIDERS, type ProviderValues } from "./options/shared.ts";

/** What a queue or a worker is given: an embedder, or a function with its model beside it. */
export interface EmbedderOptions {
  readonly embedder: Embedder | EmbedFunction;
  readonly model?: string | undefined;
  readonly dimensions?: number | undefined;
  readonly task?: string | undefined;
}

/** @throws {UsageError} Where no provider is named, or an option that it needs is missing. */
export async function embedderOf(values: ProviderValues): Promise<EmbedderOptions> {
  const { provider, model, dimensions, task, baseUrl } = values;
  switch (provider) {
    case undefined:
      throw new UsageError(
        `Which provider? Name it with --provider or EMBEDQ_PROVIDER: ${PROVIDERS.join(", ")}, or a file like ./embedder.js`,
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
      return fromFile(provider, values);
  }
}

function needed<T>(name: keyof ProviderValues, value: T | undefined): T {
  if (value !== undefined) return value;
  throw new UsageError(`This provider needs ${PROVIDER[name].flags}`);
}

/** What a file exports: an embedder, or a function from texts to vectors. */
async function fromFile(path: string, values: ProviderValues): Promise<EmbedderOptions> {
  if (!/[./\\]/.test(path)) {
    throw new UsageError(
      `--provider must be one of ${PROVIDERS.join(", ")}, or a file like ./embedder.js: it is ${JSON.stringify(path)}`,
    );
  }
  let exported: Record<string, unknown>;
  try {
    exported = (await import(pathToFileURL(resolve(path)).href)) as Record<string, unknown>;
  } catch (error) {
    throw new UsageError(`Cannot load the embedder in ${path}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const embedder = exported["embedder"] ?? exported["default"];
  const { model, dimensions, task } = values;
  if (typeof embedder === "function") {
    return { embedder: embedder as EmbedFunction, model, dimensions, task };
  }
  if (typeof (embedder as Partial<Embedder> | undefined)?.embed === "function") {
    return { embedder: embedder as Embedder, model, dimensions, task };
  }
  throw new UsageError(
    `The file ${path} must export an embedder as \`embedder\` or as default: an object { model, dimensions, embed }, or a function from texts to vectors`,
  );
}
