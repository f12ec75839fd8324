// An embedding model of the AI SDK, known by its form alone: nothing of the SDK is imported, not
// even types.

import { invalid, show } from "../model/check.ts";
import type { EmbedderLimits } from "../model/embedder.ts";
import { GEMINI_DIMENSIONS, geminiLimits, OPENAI_LIMITS, OPENAI_MODELS } from "./models.ts";

/** Options for providers by name, as the AI SDK passes them on: `{ openai: { user: "me" } }`. */
export type AiSdkProviderOptions = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** What is used of an embedding model of the AI SDK: specification v2, v3 or v4, those of ai 5, 6 and 7. */
export interface AiSdkModel {
  /** Which form the model has. */
  readonly specificationVersion: "v2" | "v3" | "v4";
  /** Name of the provider with that of its API: `openai.embedding`. */
  readonly provider: string;
  /** Name of the model, as the provider knows it. */
  readonly modelId: string;
  /** Texts a call; without it, or with Infinity, the model has no limit. */
  readonly maxEmbeddingsPerCall: PromiseLike<number | undefined> | number | undefined;
  /** Whether the model takes a call while another is on its way. */
  readonly supportsParallelCalls: PromiseLike<boolean> | boolean;
  /** Embeds texts in one call. */
  doEmbed(options: AiSdkCall): PromiseLike<AiSdkReply>;
}

/** What `doEmbed` is called with. */
export interface AiSdkCall {
  /** The texts. */
  values: string[];
  /** Numbers in each vector; from v4 on. */
  dimensions?: number;
  /** The signal to honour. */
  abortSignal?: AbortSignal;
  /** Options for the provider. */
  providerOptions?: Record<string, Record<string, unknown>>;
  /** Further headers of the request. */
  headers?: Record<string, string | undefined>;
}

/** What is read of a reply of `doEmbed`. */
export interface AiSdkReply {
  /** One embedding for each text, in the same order. */
  readonly embeddings: readonly (readonly number[])[];
  /** What the call was worth. */
  readonly usage?: { readonly tokens: number } | undefined;
}

const VERSIONS: readonly unknown[] = ["v2", "v3", "v4"];

/** @throws {EmbedqError} `ERR_OPTION_INVALID` for anything else than such a model. */
export function checkModel(model: unknown): asserts model is AiSdkModel {
  if (typeof model !== "object" || model === null) {
    // A text is what the AI SDK looks up at its gateway; embedq has no such door.
    const wanted = 'must be an embedding model object, such as openai.embedding("…") gives';
    throw invalid("model", model, wanted);
  }
  const { specificationVersion, provider, modelId, doEmbed } = model as Record<
    keyof AiSdkModel,
    unknown
  >;
  if (!VERSIONS.includes(specificationVersion)) {
    const wanted = `must be one of ${VERSIONS.map(show).join(", ")}`;
    throw invalid("model.specificationVersion", specificationVersion, wanted);
  }
  if (typeof doEmbed !== "function") {
    const wanted = "must be a function, as embedding models have it";
    throw invalid("model.doEmbed", doEmbed, wanted);
  }
  for (const [name, value] of Object.entries({ provider, modelId })) {
    if (typeof value !== "string" || !/^[^\n]+$/.test(value)) {
      throw invalid(`model.${name}`, value, "must be a name without line breaks");
    }
  }
}

/**
 * The model's own limit on texts a call; undefined where there is none, or where it is not known yet.
 *
 * @throws {EmbedqError} `ERR_OPTION_INVALID` where it is no limit.
 */
export function capOf(maximum: unknown): number | undefined {
  if (isPromise(maximum)) {
    // It is awaited before each call, where its failure is sorted.
    void Promise.resolve(maximum).catch(() => {});
    return undefined;
  }
  if (maximum === undefined || maximum === null || maximum === Number.POSITIVE_INFINITY) {
    return undefined;
  }
  if (Number.isInteger(maximum) && (maximum as number) >= 1) return maximum as number;
  const wanted = "must be a whole number from 1, Infinity, or undefined";
  throw invalid("model.maxEmbeddingsPerCall", maximum, wanted);
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}

/** What is known of a model beyond what it says of itself. */
export interface KnownModel {
  readonly limits: EmbedderLimits;
  /** Numbers in a vector that is not shortened. */
  readonly dimensions?: number | undefined;
  /** Only vectors that are not shortened have length 1. */
  readonly isScaledWhole?: boolean;
}

/** Under which the SDK's providers keep how many bytes `embedMany` may put into a call. */
const MAX_BYTES = Symbol.for("vercel.ai.embeddingModel.maxInputBytesPerCall");

/** Looks up a model by the provider's name, which is its own unless it was made with another. */
export function knownOf(model: AiSdkModel): KnownModel {
  const { provider, modelId } = model;
  // Texts a call are what the model itself says.
  if (provider.startsWith("openai.")) {
    const { maxItems: _, ...limits } = OPENAI_LIMITS;
    return { limits, dimensions: OPENAI_MODELS[modelId]?.dimensions };
  }
  if (provider.startsWith("google.generative-ai")) {
    const { maxItems: _, ...limits } = geminiLimits(modelId);
    return {
      limits,
      dimensions: modelId.startsWith("gemini-embedding-") ? GEMINI_DIMENSIONS : undefined,
      isScaledWhole: true,
    };
  }
  const maxBytes = (model as { [MAX_BYTES]?: unknown })[MAX_BYTES];
  const isLimit = Number.isInteger(maxBytes) && (maxBytes as number) >= 1;
  return { limits: isLimit ? { maxBytes: maxBytes as number } : {} };
}
