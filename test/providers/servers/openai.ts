// POST /v1/embeddings as OpenAI documents it, strict: each field, each cap, each refusal in its shape.

import { Loopback, type Received, type Reply, unknownNames } from "./loopback.ts";
import { bytesOf, EDGES, numbersOf, tokensIn } from "./numbers.ts";

export interface OpenAIServerOptions {
  /** @default "sk-test-0123456789abcdef" */
  readonly apiKey?: string | undefined;
  /** @default { "text-embedding-3-small": 1536, "text-embedding-3-large": 3072, "text-embedding-ada-002": 1536 } */
  readonly models?: Readonly<Record<string, number>>;
  /** Models that take `dimensions`. @default those of generation 3 */
  readonly shortens?: RegExp;
  readonly maxItems?: number;
  readonly maxTokens?: number;
  readonly maxInputTokens?: number;
  /** Fields beyond those of OpenAI. */
  readonly alsoTakes?: readonly string[];
  /** A text that is refused for what it says. */
  readonly poison?: string;
}

export const API_KEY = "sk-test-0123456789abcdef";

const MODELS: Readonly<Record<string, number>> = {
  "text-embedding-3-small": 1536,
  "text-embedding-3-large": 3072,
  "text-embedding-ada-002": 1536,
};

const FIELDS = ["input", "model", "dimensions", "encoding_format", "user"];

/** A refusal in OpenAI's shape. */
export function openAIError(
  status: number,
  message: string,
  {
    type = "invalid_request_error",
    code = null as string | null,
    param = null as string | null,
  } = {},
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return { status, headers, body: { error: { message, type, param, code } } };
}

export function startOpenAI(options: OpenAIServerOptions = {}): Promise<Loopback> {
  return Loopback.start((request, violations) => {
    const refusal = refuse(request, options);
    if (refusal === undefined) return embed(request, options);
    const { error } = refusal.body as { error: { message: string } };
    violations.push(`${refusal.status} ${error.message}`);
    return refusal;
  });
}

function refuse(request: Received, options: OpenAIServerOptions): Reply | undefined {
  const { maxItems = 2048, maxTokens = 300_000, maxInputTokens = 8192 } = options;
  const { models = MODELS, shortens = /-3-/, alsoTakes = [], apiKey = API_KEY } = options;
  const { method, path, headers, body } = request;
  if (new URL(path, "http://x").pathname !== "/v1/embeddings") {
    return openAIError(404, `Invalid URL (${method} ${path})`);
  }
  if (method !== "POST") return openAIError(405, `Not allowed to ${method}`);
  if (apiKey !== "" && headers["authorization"] !== `Bearer ${apiKey}`) {
    const message = `Incorrect API key provided: ${String(headers["authorization"]).slice(7)}.`;
    return openAIError(401, message, { code: "invalid_api_key" });
  }
  if (!String(headers["content-type"]).startsWith("application/json")) {
    return openAIError(415, "Unsupported content type");
  }
  if (typeof body !== "object" || body === null) {
    return openAIError(400, "We could not parse the JSON body of your request.");
  }
  const [odd] = unknownNames(body, [...FIELDS, ...alsoTakes]);
  if (odd !== undefined) return openAIError(400, `Unrecognized request argument supplied: ${odd}`);
  const { input, model, dimensions, encoding_format: encoding } = body as Record<string, unknown>;
  if (typeof model !== "string" || models[model] === undefined) {
    const details = { code: "model_not_found" };
    return openAIError(404, `The model \`${String(model)}\` does not exist`, details);
  }
  if (encoding !== undefined && encoding !== "float" && encoding !== "base64") {
    return openAIError(400, "Invalid encoding", { param: "encoding_format" });
  }
  if (dimensions !== undefined && !shortens.test(model)) {
    return openAIError(400, "This model does not support specifying dimensions.");
  }
  const isSize = Number.isInteger(dimensions) && (dimensions as number) >= 1;
  if (dimensions !== undefined && (!isSize || (dimensions as number) > models[model])) {
    return openAIError(400, "Invalid value for 'dimensions'", { param: "dimensions" });
  }
  return refuseInput(input, { maxItems, maxTokens, maxInputTokens, poison: options.poison });
}

function refuseInput(
  input: unknown,
  {
    maxItems,
    maxTokens,
    maxInputTokens,
    poison,
  }: { maxItems: number; maxTokens: number; maxInputTokens: number; poison: string | undefined },
): Reply | undefined {
  const texts = typeof input === "string" ? [input] : input;
  if (!Array.isArray(texts) || texts.length === 0) {
    return openAIError(400, "'$.input' is invalid.", { param: "input" });
  }
  if (texts.length > maxItems) {
    const message = `Invalid 'input': array too long. Expected an array with maximum length ${maxItems}, but got an array with length ${texts.length} instead.`;
    return openAIError(400, message, { code: "array_above_max_length", param: "input" });
  }
  let sum = 0;
  for (const [i, text] of texts.entries()) {
    if (typeof text !== "string" || text === "" || !text.isWellFormed()) {
      return openAIError(400, `'$.input[${i}]' is invalid.`, { param: "input" });
    }
    if (poison !== undefined && text.includes(poison)) {
      return openAIError(400, `Invalid 'input[${i}]': cannot be embedded`, { param: "input" });
    }
    if (tokensIn(text) > maxInputTokens) {
      const message = `This model's maximum context length is ${maxInputTokens} tokens, however you requested ${tokensIn(text)} tokens (${tokensIn(text)} in your prompt; 0 for the completion). Please reduce your prompt; or completion length.`;
      return openAIError(400, message);
    }
    sum += tokensIn(text);
  }
  if (sum <= maxTokens) return undefined;
  const message = `Requested ${sum} tokens, max ${maxTokens} tokens per request`;
  const word = "max_tokens_per_request";
  return openAIError(400, message, { type: word, code: word });
}

function embed({ body }: Received, { models = MODELS }: OpenAIServerOptions): Reply {
  const request = body as {
    input: string | string[];
    model: string;
    dimensions?: number;
    encoding_format?: string;
  };
  const texts = typeof request.input === "string" ? [request.input] : request.input;
  const known = models[request.model] as number;
  const data = texts.map((text, index) => {
    const numbers = numbersOf(text, request.dimensions ?? known, EDGES);
    const embedding =
      request.encoding_format === "base64"
        ? Buffer.from(bytesOf(numbers)).toString("base64")
        : numbers;
    return { object: "embedding", index, embedding };
  });
  const tokens = texts.reduce((sum, text) => sum + tokensIn(text), 0);
  const usage = { prompt_tokens: tokens, total_tokens: tokens };
  return { status: 200, body: { object: "list", model: request.model, data, usage } };
}
