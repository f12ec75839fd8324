// OpenRouter: one key for the models of many providers.

import * as v from "valibot";
import { keyFrom } from "./environment.ts";
import {
  compatibleEntries,
  type OpenAICompatibleOptions,
  openAICompatible,
} from "./openai-compatible.ts";
import { checkOptions, type HttpEmbedder, limitsOf } from "./options.ts";

/** Options of {@link openRouter}. */
export interface OpenRouterOptions
  extends Omit<OpenAICompatibleOptions, "baseUrl" | "server" | "encodingFormat"> {
  /** Address of the API. @default "https://openrouter.ai/api/v1" */
  readonly baseUrl?: string | undefined;
  /** The key. @default the environment variable OPENROUTER_API_KEY */
  readonly apiKey?: string | undefined;
  /** Which providers may serve the calls, as OpenRouter documents it: `{ order: ["openai"], allow_fallbacks: false }`. */
  readonly provider?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * OpenRouter documents no cap, but the providers behind it have theirs: these fit the smallest that
 * are widely used, 96 texts a call.
 */
const LIMITS = { maxItems: 96, maxTokens: 100_000 };

/**
 * An embedder for OpenRouter. It documents no limits of a call, so embedq keeps to 96 texts and
 * 100,000 tokens, which the providers behind it take; raise `limits` where you know your provider's.
 * Set `limits.maxInputTokens` to that of the model: some providers cut longer texts without a word.
 * Errors that come with status 200 are errors here, too.
 *
 * @throws {EmbedqError} `ERR_OPTION_INVALID`, also where no key is given and OPENROUTER_API_KEY is not set.
 *
 * @example
 * ```ts
 * import { EmbeddingWorker } from "embedq";
 * import { openRouter } from "embedq/providers";
 *
 * export function start(): EmbeddingWorker {
 *   const embedder = openRouter({
 *     model: "openai/text-embedding-3-small",
 *     dimensions: 1536,
 *     provider: { order: ["openai"], allow_fallbacks: false },
 *     limits: { maxItems: 2048, maxTokens: 300_000, maxInputTokens: 8192 },
 *   });
 *   return new EmbeddingWorker({ redis: "redis://127.0.0.1:6379", embedder });
 * }
 * ```
 */
export function openRouter(options: OpenRouterOptions): HttpEmbedder {
  checkOptions(ENTRIES, options);
  const { provider, baseUrl = "https://openrouter.ai/api/v1", extraBody, ...rest } = options;
  return openAICompatible({
    ...rest,
    baseUrl,
    apiKey: keyFrom(options.apiKey, "OPENROUTER_API_KEY"),
    encodingFormat: "base64",
    limits: limitsOf(LIMITS, options.limits),
    extraBody: { ...extraBody, ...(provider && { provider }) },
  });
}

const { server: _, encodingFormat: __, ...common } = compatibleEntries;
const ENTRIES = {
  ...common,
  provider: v.optional(v.record(v.string(), v.unknown(), "must be an object")),
};
