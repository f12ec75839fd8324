// Any embedding model of the Vercel AI SDK.

import * as v from "valibot";
import { invalid, oneLine, UNKNOWN } from "../model/check.ts";
import { checkResults } from "../model/contract.ts";
import type { EmbedReply } from "../model/embedder.ts";
import { EmbedderError } from "../model/errors.ts";
import { sortThrown } from "./ai-sdk-errors.ts";
import {
  type AiSdkCall,
  type AiSdkModel,
  type AiSdkProviderOptions,
  type AiSdkReply,
  capOf,
  checkModel,
  knownOf,
} from "./ai-sdk-model.ts";
import { toFloats } from "./floats.ts";
import { normalized } from "./normalized.ts";
import {
  checkOptions,
  dimensionsFrom,
  type HttpEmbedder,
  type HttpOptions,
  limitsOf,
} from "./options.ts";
import { type Placed, tokensOf } from "./replies.ts";
import { Turns } from "./turns.ts";

/** Options of {@link aiSdk}. Key, address and `fetch` are the model's. */
export interface AiSdkOptions extends Pick<HttpOptions, "headers" | "limits"> {
  /** Numbers in each vector. @default all that OpenAI's and Gemini's models give; must be given for others */
  readonly dimensions?: number | undefined;
  /**
   * Asks the model for `dimensions`; from specification v4 on, and only some providers listen. All
   * others take it in `providerOptions`: `{ openai: { dimensions: 256 } }`. @default false
   */
  readonly sendDimensions?: boolean | undefined;
  /** Options for the provider, sent with every call: `{ google: { taskType: "RETRIEVAL_DOCUMENT" } }`. */
  readonly providerOptions?: AiSdkProviderOptions | undefined;
  /** The same for queries, laid over `providerOptions`: `{ google: { taskType: "RETRIEVAL_QUERY" } }`. */
  readonly queryProviderOptions?: AiSdkProviderOptions | undefined;
  /** What the vectors are for; part of the source digest. @default `taskType` and `inputType` in `providerOptions` */
  readonly task?: string | undefined;
  /**
   * Scales vectors to length 1. @default true for shortened vectors of Google's Gemini API, which
   * come with any length, else false
   */
  readonly normalize?: boolean | undefined;
  /** Whose rate limits the calls count against; two queues with one name share a budget. @default the model's `provider` */
  readonly account?: string | undefined;
}

/**
 * An embedder for an embedding model of the AI SDK, from any provider package: specification v2, v3
 * or v4, which are those of ai 5, 6 and 7. Nothing of the SDK need be installed beside that package.
 *
 * Each call is one `doEmbed`: what the SDK's `embedMany` would retry and split unseen, the queue
 * does, with its budgets and pauses. No call has more texts than `maxEmbeddingsPerCall`, whatever
 * `limits` says; without one, 50. Where it is a promise, a call that has more is refused before it
 * is sent, halved, and the lower limit kept. Models without `supportsParallelCalls` get one call at
 * a time from this process. Where that is a promise, waiting for it counts for `embedTimeoutMs`: give
 * their worker `concurrency: 1`.
 *
 * @throws {EmbedqError} `ERR_OPTION_INVALID`, also for a model that is no such object.
 *
 * @example
 * ```ts
 * import { EmbeddingWorker } from "embedq";
 * import { type AiSdkModel, aiSdk } from "embedq/providers";
 *
 * // The model is what `openai.embedding("text-embedding-3-small")` of "@ai-sdk/openai" gives.
 * export function start(model: AiSdkModel): EmbeddingWorker {
 *   const providerOptions = { openai: { dimensions: 512 } };
 *   const embedder = aiSdk(model, { dimensions: 512, providerOptions });
 *   return new EmbeddingWorker({ redis: "redis://127.0.0.1:6379", embedder });
 * }
 * ```
 */
export function aiSdk(model: AiSdkModel, options: AiSdkOptions = {}): HttpEmbedder {
  checkModel(model);
  checkOptions(SCHEMA, options);
  const known = knownOf(model);
  const dimensions = options.dimensions ?? known.dimensions;
  if (dimensions === undefined) {
    throw invalid("dimensions", undefined, "must be given for a model that is not known");
  }
  if (options.sendDimensions === true && model.specificationVersion !== "v4") {
    const wanted = `must be left out for a model of specification ${model.specificationVersion}`;
    throw invalid("sendDimensions", true, wanted);
  }
  const { headers = {}, providerOptions = {} } = options;
  const queryOptions = laidOver(providerOptions, options.queryProviderOptions ?? {});
  const task = options.task ?? taskIn(providerOptions);
  const isShortened = dimensions !== known.dimensions;
  const normalize = options.normalize ?? (known.isScaledWhole === true && isShortened);

  const call = async (
    texts: readonly string[],
    own: AiSdkProviderOptions,
    signal: AbortSignal | undefined,
  ): Promise<EmbedReply> => {
    const wanted: AiSdkCall = {
      // Half a surrogate pair is no JSON to strict servers.
      values: texts.map((text) => text.toWellFormed()),
      ...(options.sendDimensions && { dimensions }),
      ...(signal && { abortSignal: signal }),
      ...(Object.keys(own).length > 0 && { providerOptions: laidOver(own, {}) }),
      ...(Object.keys(headers).length > 0 && { headers: { ...headers } }),
    };
    const reply = await doEmbed(model, wanted).catch((thrown: unknown) => {
      signal?.throwIfAborted();
      const hidden = { secrets: Object.values(headers), texts };
      throw sortThrown(thrown, model.provider, hidden);
    });
    const results = checkResults({ results: reply?.embeddings }, texts.length) as readonly Placed[];
    return {
      results: normalize ? results.map(normalized) : results,
      usage: { tokens: tokensOf(reply.usage?.tokens) },
    };
  };

  const cap = capOf(model.maxEmbeddingsPerCall);
  const isSerial = !model.supportsParallelCalls;
  const ofModel = { ...known.limits, maxItems: cap, ...(isSerial && { maxConcurrentCalls: 1 }) };
  const limits = limitsOf(ofModel, options.limits);
  return {
    model: model.modelId,
    dimensions,
    ...(task !== "" && { task }),
    limits: { ...limits, maxItems: leastOf(limits.maxItems, cap) },
    account: options.account ?? model.provider,
    embed: (texts, context) => call(texts, providerOptions, context?.signal),
    embedQuery: async (query, context) =>
      toFloats(await call([query], queryOptions, context?.signal), dimensions),
  };
}

/** A group of options by provider. Not shown where it is wrong: it may hold a key. */
const optionsByProvider = v.optional(
  v.custom<AiSdkProviderOptions>(
    (value) => isObject(value) && Object.values(value).every(isObject),
    "must be an object with an object for each provider",
  ),
);
/** Of the model, and never shown. */
const notHere = v.optional(v.never(UNKNOWN));

const SCHEMA = {
  dimensions: v.optional(dimensionsFrom(1, 65_536)),
  sendDimensions: v.optional(v.boolean("must be true or false")),
  providerOptions: optionsByProvider,
  queryProviderOptions: optionsByProvider,
  task: v.optional(oneLine),
  normalize: v.optional(v.boolean("must be true or false")),
  headers: v.optional(
    v.custom(
      (value) => isObject(value) && Object.values(value).every((text) => typeof text === "string"),
      "must be an object with a text for each header",
    ),
  ),
  apiKey: notHere,
  baseUrl: notHere,
  fetch: notHere,
};

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Who calls a model that takes one call at a time, by model: several embedders may have the same. */
const TURNS = new WeakMap<AiSdkModel, Turns>();

/** One call of the model, within what it says of itself. */
async function doEmbed(model: AiSdkModel, call: AiSdkCall): Promise<AiSdkReply> {
  const { maxEmbeddingsPerCall, supportsParallelCalls } = model;
  const cap = capOf(await maxEmbeddingsPerCall);
  const count = call.values.length;
  if (cap !== undefined && count > cap) {
    const message = `Cannot embed ${count} texts in one call as the model takes at most ${cap}`;
    throw new EmbedderError("rejected", message, { exceeded: "items" });
  }
  const isParallel = await supportsParallelCalls;
  call.abortSignal?.throwIfAborted();
  if (isParallel) return model.doEmbed(call);
  const turns = TURNS.get(model) ?? new Turns();
  TURNS.set(model, turns);
  return turns.take(async () => model.doEmbed(call), call.abortSignal);
}

function leastOf(...limits: readonly (number | undefined)[]): number | undefined {
  const given = limits.filter((limit) => limit !== undefined);
  return given.length === 0 ? undefined : Math.min(...given);
}

/** Both, provider by provider, as new objects; the second one's options count where both have them. */
function laidOver(
  below: AiSdkProviderOptions,
  above: AiSdkProviderOptions,
): Record<string, Record<string, unknown>> {
  const names = new Set([...Object.keys(below), ...Object.keys(above)]);
  return Object.fromEntries([...names].map((name) => [name, { ...below[name], ...above[name] }]));
}

/** What the options tell the provider that the vectors are for, under the names that providers have for it. */
function taskIn(providerOptions: AiSdkProviderOptions): string {
  const words = Object.values(providerOptions).flatMap((own) => [
    own["taskType"],
    own["inputType"],
  ]);
  return words.filter((word) => typeof word === "string" && /^[^\n]+$/.test(word)).join(" ");
}
