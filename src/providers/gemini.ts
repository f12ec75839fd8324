// Google's Gemini API: batchEmbedContents.

import * as v from "valibot";
import { invalid, modelName, oneOf } from "../model/check.ts";
import { type EmbedReply, estimateTokens, utf8Length } from "../model/embedder.ts";
import { EmbedderError } from "../model/errors.ts";
import { keyFrom } from "./environment.ts";
import { toFloats } from "./floats.ts";
import { postJson } from "./http.ts";
import { GEMINI_DIMENSIONS, geminiLimits, isSecondGemini } from "./models.ts";
import { normalized } from "./normalized.ts";
import {
  checkOptions,
  dimensionsFrom,
  endpointOf,
  type HttpEmbedder,
  type HttpOptions,
  limitsOf,
  prefix,
} from "./options.ts";
import { listVectors, tokensOf } from "./replies.ts";

const TASK_TYPES = [
  "RETRIEVAL_DOCUMENT",
  "RETRIEVAL_QUERY",
  "SEMANTIC_SIMILARITY",
  "CLASSIFICATION",
  "CLUSTERING",
  "QUESTION_ANSWERING",
  "FACT_VERIFICATION",
  "CODE_RETRIEVAL_QUERY",
] as const satisfies readonly GeminiTaskType[];

/** What Gemini's vectors can be made for. */
export type GeminiTaskType =
  | "RETRIEVAL_DOCUMENT"
  | "RETRIEVAL_QUERY"
  | "SEMANTIC_SIMILARITY"
  | "CLASSIFICATION"
  | "CLUSTERING"
  | "QUESTION_ANSWERING"
  | "FACT_VERIFICATION"
  | "CODE_RETRIEVAL_QUERY";

/** Options of {@link gemini}. */
export interface GeminiOptions extends HttpOptions {
  /** The model. @default "gemini-embedding-001" */
  readonly model?: string | undefined;
  /** Numbers in each vector, from 128 to 3072. @default 3072 */
  readonly outputDimensionality?: number | undefined;
  /** What texts are embedded for; gemini-embedding-2 takes none. @default "RETRIEVAL_DOCUMENT" */
  readonly taskType?: GeminiTaskType | undefined;
  /** What queries are embedded for. @default "RETRIEVAL_QUERY" where texts are documents, else `taskType` */
  readonly queryTaskType?: GeminiTaskType | undefined;
  /** Put before each text, which is how gemini-embedding-2 is told what it is for. */
  readonly documentPrefix?: string | undefined;
  /** Put before each query. */
  readonly queryPrefix?: string | undefined;
  /**
   * Scales vectors to length 1. Gemini does so itself only for the full 3072 numbers; without it,
   * an index that compares by inner product or by distance ranks shorter ones wrongly. @default true
   */
  readonly normalize?: boolean | undefined;
  /** The key. @default the environment variable GEMINI_API_KEY, else GOOGLE_API_KEY */
  readonly apiKey?: string | undefined;
  /** Address of the API. @default "https://generativelanguage.googleapis.com/v1beta" */
  readonly baseUrl?: string | undefined;
}

/** What the API takes as one body. Ours is compared as it is sent, with all quotes and escapes. */
const MAX_BODY_BYTES = 4_194_304;
/** Bytes of one number in Google's indented JSON, at the most; and what stands around the vectors. */
const FLOAT_TEXT_BYTES = 48;
const REPLY_BYTES = 1024 * 1024;

/**
 * An embedder for Gemini: 100 texts a call, each of which counts as a request in the rate limits
 * (`costPerItem`); 2,048 tokens a text, 8,192 with gemini-embedding-2. The key goes into a header,
 * never into the address. A used up daily quota pauses all workers, one of a minute only as long as
 * the API says.
 *
 * @throws {EmbedqError} `ERR_OPTION_INVALID`, also where no key is given and no variable is set.
 *
 * @example
 * ```ts
 * import { EmbeddingWorker } from "embedq";
 * import { gemini } from "embedq/providers";
 *
 * export function start(): EmbeddingWorker {
 *   const embedder = gemini({ outputDimensionality: 768 });
 *   return new EmbeddingWorker({ redis: "redis://127.0.0.1:6379", embedder });
 * }
 * ```
 */
export function gemini(options: GeminiOptions = {}): HttpEmbedder {
  checkOptions(SCHEMA, options);
  const { outputDimensionality: dimensions = GEMINI_DIMENSIONS, normalize = true } = options;
  const { documentPrefix = "", queryPrefix = "" } = options;
  const model = (options.model ?? "gemini-embedding-001").replace(/^models\//, "");
  const tasks = tasksOf(model, options);
  const endpoint = endpointOf(
    options,
    options.baseUrl ?? "https://generativelanguage.googleapis.com/v1beta",
    `/models/${encodeURIComponent(model)}:batchEmbedContents`,
    (key) => ({ "x-goog-api-key": key }),
    keyFrom(options.apiKey, "GEMINI_API_KEY", "GOOGLE_API_KEY"),
  );

  const call = async (
    texts: readonly string[],
    kind: { readonly taskType: GeminiTaskType | undefined; readonly prefix: string },
    signal: AbortSignal | undefined,
  ): Promise<EmbedReply> => {
    const requests = texts.map((text) => ({
      model: `models/${model}`,
      // One content for each text: several in one content become one vector.
      content: { parts: [{ text: `${kind.prefix}${text}`.toWellFormed() }] },
      ...(kind.taskType && { taskType: kind.taskType }),
      ...(dimensions !== GEMINI_DIMENSIONS && { outputDimensionality: dimensions }),
    }));
    const body = JSON.stringify({ requests });
    const bodyBytes = utf8Length(body);
    if (bodyBytes > MAX_BODY_BYTES) {
      throw new EmbedderError(
        "rejected",
        `Cannot send ${texts.length} texts as Gemini takes at most ${MAX_BODY_BYTES} bytes of JSON: they are ${bodyBytes}`,
        { exceeded: "bytes" },
      );
    }
    const maxReplyBytes = REPLY_BYTES + texts.length * dimensions * FLOAT_TEXT_BYTES;
    const reply = await postJson(endpoint, { body, texts, maxReplyBytes, signal });
    const { embeddings, usageMetadata } = (reply ?? {}) as {
      embeddings?: unknown;
      usageMetadata?: { promptTokenCount?: unknown } | null;
    };
    const vectors = listVectors(embeddings, texts.length, dimensions);
    const isScaled = normalize && dimensions < GEMINI_DIMENSIONS;
    return {
      results: isScaled ? vectors.map(normalized) : vectors,
      usage: { tokens: tokensOf(usageMetadata?.promptTokenCount) },
    };
  };

  const task = [tasks.document, documentPrefix].filter(Boolean).join(" ").replaceAll("\n", " ");
  return {
    model,
    dimensions,
    ...(task !== "" && { task }),
    limits: limitsOf(geminiLimits(model), options.limits, estimateTokens(documentPrefix)),
    account: options.account ?? new URL(endpoint.url).host,
    embed: (texts, context) =>
      call(texts, { taskType: tasks.document, prefix: documentPrefix }, context?.signal),
    embedQuery: async (query, context) => {
      const kind = { taskType: tasks.query, prefix: queryPrefix };
      return toFloats(await call([query], kind, context?.signal), dimensions);
    },
  };
}

const SCHEMA = {
  model: v.optional(modelName),
  outputDimensionality: v.optional(dimensionsFrom(128, GEMINI_DIMENSIONS)),
  taskType: v.optional(oneOf(...TASK_TYPES)),
  queryTaskType: v.optional(oneOf(...TASK_TYPES)),
  documentPrefix: v.optional(prefix),
  queryPrefix: v.optional(prefix),
  normalize: v.optional(v.boolean("must be true or false")),
};

interface Tasks {
  readonly document: GeminiTaskType | undefined;
  readonly query: GeminiTaskType | undefined;
}

function tasksOf(model: string, { taskType, queryTaskType }: GeminiOptions): Tasks {
  if (isSecondGemini(model)) {
    const given = taskType ?? queryTaskType;
    if (given === undefined) return { document: undefined, query: undefined };
    const name = taskType === undefined ? "queryTaskType" : "taskType";
    throw invalid(name, given, "must be left out for this model, which is told by a prefix");
  }
  const document = taskType ?? "RETRIEVAL_DOCUMENT";
  const query = document === "RETRIEVAL_DOCUMENT" ? "RETRIEVAL_QUERY" : document;
  return { document, query: queryTaskType ?? query };
}
