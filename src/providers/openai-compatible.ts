// Any server that speaks OpenAI's embeddings format: POST /embeddings.

import * as v from "valibot";
import { modelName, oneLine, oneOf } from "../model/check.ts";
import { type EmbedReply, estimateTokens } from "../model/embedder.ts";
import { toFloats } from "./floats.ts";
import { postJson } from "./http.ts";
import {
  checkOptions,
  dimensionsFrom,
  endpointOf,
  type HttpEmbedder,
  type HttpOptions,
  limitsOf,
  prefix,
} from "./options.ts";
import { placeVectors, tokensOf } from "./replies.ts";
import { type KnownServer, SERVERS } from "./servers.ts";

/** Options of {@link openAICompatible}. */
export interface OpenAICompatibleOptions extends HttpOptions {
  /** Address of the API, up to the part before `/embeddings`: `http://127.0.0.1:8080/v1`. A query stays behind it. */
  readonly baseUrl: string;
  /** Name of the model, as the server knows it. */
  readonly model: string;
  /** Numbers in each vector that the model gives. */
  readonly dimensions: number;
  /** Sent as `authorization: Bearer …`. @default no such header */
  readonly apiKey?: string | undefined;
  /** A server that is known by name: its limits and the encoding it gives. */
  readonly server?: KnownServer | undefined;
  /** Asks the server for `dimensions`; only where the model can shorten its vectors. @default false */
  readonly sendDimensions?: boolean | undefined;
  /**
   * The form to ask for. `base64` needs a third of the bytes and hardly any time to read, but not all
   * servers give it. Whatever is asked for, both are understood. @default that of `server`, else the server's own
   */
  readonly encodingFormat?: "base64" | "float" | undefined;
  /** Sent as `input_type` with texts, where the server distinguishes documents from queries. */
  readonly inputType?: string | undefined;
  /** Sent as `input_type` with queries. @default `inputType` */
  readonly queryInputType?: string | undefined;
  /** Put before each text, for models that want to be told: `"passage: "`. */
  readonly documentPrefix?: string | undefined;
  /** Put before each query: `"query: "`. */
  readonly queryPrefix?: string | undefined;
  /** What the vectors are for; part of the source digest. @default `inputType` and `documentPrefix` */
  readonly task?: string | undefined;
  /** Further fields of the request. What embedq sends itself cannot be replaced. */
  readonly extraBody?: Readonly<Record<string, unknown>> | undefined;
}

/** Bytes of one number in JSON at the very most, with indentation; and what stands around the vectors. */
const FLOAT_TEXT_BYTES = 48;
const ITEM_BYTES = 1024;
const REPLY_BYTES = 1024 * 1024;

/**
 * An embedder for any server with OpenAI's embeddings format: Text Embeddings Inference, vLLM,
 * Ollama, LM Studio, LiteLLM, DashScope, Azure and many more. For OpenAI and OpenRouter themselves
 * see {@link openAI} and {@link openRouter}.
 *
 * Replies are checked: one vector for each text, placed by `index` where the server gives a whole
 * order. Where no limit is known 50 texts go in a call; a refused call is halved, and the lower limit kept.
 *
 * @throws {EmbedqError} `ERR_OPTION_INVALID`.
 *
 * @example
 * ```ts
 * import { EmbeddingWorker } from "embedq";
 * import { openAICompatible } from "embedq/providers";
 *
 * export const worker = new EmbeddingWorker({
 *   redis: "redis://127.0.0.1:6379",
 *   embedder: openAICompatible({
 *     server: "tei",
 *     baseUrl: "http://127.0.0.1:8080/v1",
 *     model: "intfloat/multilingual-e5-base",
 *     dimensions: 768,
 *     documentPrefix: "passage: ",
 *     queryPrefix: "query: ",
 *     limits: { maxInputTokens: 512 },
 *   }),
 * });
 * ```
 */
export function openAICompatible(options: OpenAICompatibleOptions): HttpEmbedder {
  checkOptions(compatibleEntries, options);
  const { model, dimensions, inputType, documentPrefix = "", queryPrefix = "" } = options;
  const { server, account, apiKey } = options;
  const traits = server === undefined ? undefined : SERVERS[server];
  const endpoint = endpointOf(
    options,
    options.baseUrl,
    "/embeddings",
    (key) => ({ authorization: `Bearer ${key}` }),
    apiKey,
  );
  const encodingFormat = options.encodingFormat ?? traits?.encodingFormat;
  const task = options.task ?? [inputType, documentPrefix].filter(Boolean).join(" ");

  const call = async (
    texts: readonly string[],
    kind: { readonly inputType: string | undefined; readonly prefix: string },
    signal: AbortSignal | undefined,
  ): Promise<EmbedReply> => {
    const body = JSON.stringify({
      ...options.extraBody,
      model,
      // Half a surrogate pair is no JSON to strict servers.
      input: texts.map((text) => `${kind.prefix}${text}`.toWellFormed()),
      ...(encodingFormat && { encoding_format: encodingFormat }),
      ...(options.sendDimensions && { dimensions }),
      ...(kind.inputType !== undefined && { input_type: kind.inputType }),
    });
    const maxReplyBytes = REPLY_BYTES + texts.length * (ITEM_BYTES + dimensions * FLOAT_TEXT_BYTES);
    const reply = await postJson(endpoint, { body, texts, maxReplyBytes, signal });
    const { data, usage } = (reply ?? {}) as {
      data?: unknown;
      usage?: { total_tokens?: unknown; prompt_tokens?: unknown } | null;
    };
    return {
      results: placeVectors(data, texts.length, dimensions),
      usage: { tokens: tokensOf(usage?.total_tokens, usage?.prompt_tokens) },
    };
  };

  return {
    model,
    dimensions,
    ...(task !== "" && { task: task.replaceAll("\n", " ") }),
    limits: limitsOf(traits?.limits ?? {}, options.limits, estimateTokens(documentPrefix)),
    account: account ?? new URL(endpoint.url).host,
    embed: (texts, context) => call(texts, { inputType, prefix: documentPrefix }, context?.signal),
    embedQuery: async (query, context) => {
      const kind = { inputType: options.queryInputType ?? inputType, prefix: queryPrefix };
      return toFloats(await call([query], kind, context?.signal), dimensions);
    },
  };
}

/** The options that not every provider over HTTP has. */
type OwnName = Exclude<keyof OpenAICompatibleOptions, keyof HttpOptions | "baseUrl" | "apiKey">;

/** What each of them must be; those of the presets are among them. */
export const compatibleEntries: Readonly<Record<OwnName, v.GenericSchema<unknown>>> = {
  model: modelName,
  dimensions: dimensionsFrom(1, 65_536),
  server: v.optional(oneOf(...(Object.keys(SERVERS) as KnownServer[]))),
  sendDimensions: v.optional(v.boolean("must be true or false")),
  encodingFormat: v.optional(oneOf("base64", "float")),
  inputType: v.optional(oneLine),
  queryInputType: v.optional(oneLine),
  documentPrefix: v.optional(prefix),
  queryPrefix: v.optional(prefix),
  task: v.optional(oneLine),
  extraBody: v.optional(v.record(v.string(), v.unknown(), "must be an object")),
};
