// OpenAI itself, with the limits and sizes of its models.

import * as v from "valibot";
import { invalid } from "../model/check.ts";
import { keyFrom } from "./environment.ts";
import { OPENAI_LIMITS, OPENAI_MODELS } from "./models.ts";
import { compatibleEntries, openAICompatible } from "./openai-compatible.ts";
import { checkOptions, type HttpEmbedder, type HttpOptions, limitsOf } from "./options.ts";

/** Options of {@link openAI}. */
export interface OpenAIOptions extends HttpOptions {
  /** The model. @default "text-embedding-3-small" */
  readonly model?: string | undefined;
  /** Numbers in each vector; the models of generation 3 can give fewer than they have. @default all: 1536, for text-embedding-3-large 3072 */
  readonly dimensions?: number | undefined;
  /** The key. @default the environment variable OPENAI_API_KEY */
  readonly apiKey?: string | undefined;
  /** Address of the API. @default "https://api.openai.com/v1" */
  readonly baseUrl?: string | undefined;
  /** What the vectors are for; part of the source digest. */
  readonly task?: string | undefined;
  /** Further fields of the request, such as `user`. */
  readonly extraBody?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * An embedder for OpenAI: 2,048 texts and 300,000 tokens a call, 8,192 tokens a text, vectors in
 * base64.
 *
 * @throws {EmbedqError} `ERR_OPTION_INVALID`, also where no key is given and OPENAI_API_KEY is not set.
 *
 * @example
 * ```ts
 * import { EmbeddingWorker } from "embedq";
 * import { openAI } from "embedq/providers";
 *
 * export function start(): EmbeddingWorker {
 *   const embedder = openAI({ model: "text-embedding-3-large", dimensions: 1024 });
 *   return new EmbeddingWorker({ redis: "redis://127.0.0.1:6379", embedder });
 * }
 * ```
 */
export function openAI(options: OpenAIOptions = {}): HttpEmbedder {
  checkOptions(ENTRIES, options);
  const { model = "text-embedding-3-small", baseUrl = "https://api.openai.com/v1" } = options;
  const known = OPENAI_MODELS[model];
  const dimensions = options.dimensions ?? known?.dimensions;
  if (dimensions === undefined) {
    throw invalid("dimensions", undefined, "must be given for a model that is not known");
  }
  const isShortened = known !== undefined && dimensions !== known.dimensions;
  if (isShortened && (!known.canShorten || dimensions > known.dimensions)) {
    const most = known.canShorten ? `at most ${known.dimensions}` : String(known.dimensions);
    throw invalid("dimensions", dimensions, `must be ${most} for this model`);
  }
  return openAICompatible({
    ...options,
    model,
    baseUrl,
    dimensions,
    apiKey: keyFrom(options.apiKey, "OPENAI_API_KEY"),
    sendDimensions: isShortened || (known === undefined && options.dimensions !== undefined),
    encodingFormat: "base64",
    limits: limitsOf(OPENAI_LIMITS, options.limits),
  });
}

const ENTRIES = {
  model: v.optional(compatibleEntries.model),
  dimensions: v.optional(compatibleEntries.dimensions),
  task: compatibleEntries.task,
  extraBody: compatibleEntries.extraBody,
};
