// The one table of refusals, with bodies as providers send them.

import { describe, expect, test } from "bun:test";
import { google, openAI, sorted } from "./bodies.ts";

const quota = (quotaId: string) => ({
  error: {
    code: 429,
    status: "RESOURCE_EXHAUSTED",
    message: "You exceeded your current quota, please check your plan and billing details.",
    details: [
      { "@type": "type.googleapis.com/google.rpc.QuotaFailure", violations: [{ quotaId }] },
    ],
  },
});

describe("a call that is too large as a whole", () => {
  const rows: [string, number, unknown, string][] = [
    [
      "OpenAI: tokens",
      400,
      openAI("Requested 304123 tokens, max 300000 tokens per request", {
        type: "max_tokens_per_request",
        code: "max_tokens_per_request",
      }),
      "tokens",
    ],
    ["Mistral", 400, { message: "Too many tokens in batch. Max is 16384 got 17555" }, "tokens"],
    [
      "Voyage",
      400,
      {
        detail:
          "Request to model 'voyage-3' failed. The max allowed tokens per submitted batch is 120000. Your batch has 121138 tokens after truncation.",
      },
      "tokens",
    ],
    [
      "OpenAI: more than a minute's tokens in one call",
      429,
      openAI(
        "Request too large for text-embedding-3-small on tokens per min (TPM): Limit 40000, Requested 70000.",
        { type: "tokens", code: "rate_limit_exceeded" },
      ),
      "tokens",
    ],
    [
      "OpenAI: items",
      400,
      openAI(
        "Invalid 'input': array too long. Expected an array with maximum length 2048, but got an array with length 2049 instead.",
        { code: "array_above_max_length", param: "input" },
      ),
      "items",
    ],
    [
      "Gemini: items",
      400,
      google(
        "INVALID_ARGUMENT",
        "* BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch\n",
      ),
      "items",
    ],
    [
      "DashScope",
      400,
      openAI(
        "<400> InternalError.Algo.InvalidParameter: Value error, batch size is invalid, it should not be larger than 10.: input.contents",
        { type: "InvalidParameter", code: "InvalidParameter" },
      ),
      "items",
    ],
    [
      "SiliconFlow",
      413,
      { code: 20042, message: "input batch size 136 > maximum allowed batch size 64", data: null },
      "items",
    ],
    [
      "TEI",
      422,
      { error: "batch size 33 > maximum allowed batch size 32", error_type: "Validation" },
      "items",
    ],
    [
      "Cohere",
      400,
      { message: "invalid request: total number of texts must be at most 96" },
      "items",
    ],
    [
      "pydantic",
      422,
      {
        detail: [
          {
            type: "too_long",
            loc: ["body", "input"],
            msg: "List should have at most 1024 items after validation, not 2000",
          },
        ],
      },
      "items",
    ],
    [
      "Gemini: body",
      400,
      google("INVALID_ARGUMENT", "Request payload size exceeds the limit: 4194304 bytes."),
      "bytes",
    ],
    [
      "Mistral, overall",
      400,
      {
        object: "error",
        message: "Too many tokens overall, split into more batches.",
        code: "3210",
      },
      "tokens",
    ],
    ["axum", 413, "Failed to buffer the request body: length limit exceeded", "bytes"],
    ["a gateway", 413, "<html><h1>413 Request Entity Too Large</h1></html>", "bytes"],
  ];
  test.each(rows)("%s", (_, status, body, exceeded) => {
    expect(sorted(status, body)).toBe(`rejected/${exceeded}`);
  });
});

describe("one text that is too long", () => {
  const rows: [string, number, unknown][] = [
    [
      "OpenAI: too long",
      400,
      openAI(
        "This model's maximum context length is 8192 tokens, however you requested 25701 tokens (25701 in your prompt; 0 for the completion). Please reduce your prompt; or completion length.",
      ),
    ],
    ["OpenAI: by its code", 400, openAI("too much", { code: "context_length_exceeded" })],
    [
      "vLLM",
      400,
      {
        object: "error",
        message:
          "This model's maximum context length is 512 tokens. However, you requested 1451 tokens in the input for embedding generation. Please reduce the length of the input.",
        type: "BadRequestError",
        param: null,
        code: 400,
      },
    ],
    [
      "TEI, with the status of a large body",
      413,
      {
        error: "Input validation error: `inputs` must have less than 512 tokens. Given: 534",
        error_type: "Validation",
      },
    ],
    ["Ollama", 400, { error: "the input length exceeds the context length" }],
    [
      "llama.cpp, with the status of an outage",
      500,
      {
        error: {
          code: 500,
          message:
            "input (744 tokens) is too large to process. increase the physical batch size (current batch size: 512)",
          type: "server_error",
        },
      },
    ],
    [
      "Gemini",
      400,
      google(
        "INVALID_ARGUMENT",
        "The input token count (2845) exceeds the maximum number of tokens allowed (2048).",
      ),
    ],
    [
      "OpenRouter, with the words of the one behind it",
      400,
      {
        error: {
          message: "Provider returned error",
          code: 400,
          metadata: {
            raw: JSON.stringify(openAI("This model's maximum context length is 8192 tokens.")),
            provider_name: "OpenAI",
          },
        },
      },
    ],
  ];
  test.each(rows)("%s", (_, status, body) => {
    expect(sorted(status, body)).toBe("rejected/text");
  });
});

describe("one text that is refused for what it says", () => {
  const rows: [string, number, unknown][] = [
    [
      "OpenRouter: moderation",
      403,
      {
        error: {
          code: 403,
          message: "Your chosen model requires moderation and your input was flagged",
        },
      },
    ],
    ["Azure: filtered", 400, openAI("The response was filtered", { code: "content_filter" })],
    ["OpenAI: by its parameter", 400, openAI("'$.input' is invalid.", { param: "input" })],
    [
      "pydantic",
      422,
      {
        detail: [{ loc: ["body", "input", "list[str]", 3], msg: "Input should be a valid string" }],
      },
    ],
    ["a bad request that says nothing else", 400, openAI("Bad request")],
  ];
  test.each(rows)("%s", (_, status, body) => {
    expect(sorted(status, body)).toBe("rejected");
  });
});

describe("what no call of this worker can pass", () => {
  const rows: [string, number, unknown][] = [
    [
      "Gemini: the key",
      400,
      google("INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", [
        { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "API_KEY_INVALID" },
      ]),
    ],
    [
      "Gemini: the key, wrapped once more by a gateway",
      400,
      [
        {
          error: {
            message: JSON.stringify(google("INVALID_ARGUMENT", "API key not valid.")),
            code: 400,
            status: "Bad Request",
          },
        },
      ],
    ],
    [
      "Gemini: a field",
      400,
      google(
        "INVALID_ARGUMENT",
        'Invalid JSON payload received. Unknown name "foo": Cannot find field.',
      ),
    ],
    [
      "Gemini: by its field violations",
      400,
      google("INVALID_ARGUMENT", "Invalid value", [
        { fieldViolations: [{ field: "requests[0].output_dimensionality", description: "odd" }] },
      ]),
    ],
    [
      "Gemini: where you are",
      400,
      google("FAILED_PRECONDITION", "User location is not supported for the API use."),
    ],
    [
      "OpenAI: the model",
      404,
      openAI("The model `x` does not exist or you do not have access to it.", {
        code: "model_not_found",
      }),
    ],
    [
      "OpenAI: the model, named with 400",
      400,
      openAI("you must provide a model", { param: "model" }),
    ],
    ["OpenAI: the size", 400, openAI("This model does not support specifying dimensions.")],
    ["OpenAI: the encoding", 400, openAI("Invalid value", { param: "encoding_format" })],
    [
      "vLLM: the size",
      400,
      {
        message:
          'Model "x" does not support matryoshka representation, changing output dimensions will lead to poor results.',
        code: 400,
      },
    ],
    ["Ollama: the model", 404, { error: 'model "x" not found, try pulling it first' }],
    ["LiteLLM: the model", 400, openAI("Invalid model name passed in model=x")],
    [
      "pydantic: a field",
      422,
      {
        detail: [
          { type: "extra_forbidden", loc: ["body", "foo"], msg: "Extra inputs are not permitted" },
        ],
      },
    ],
    [
      "Azure: the version",
      400,
      { error: { message: "Missing or invalid api-version query parameter" } },
    ],
    [
      "Hugging Face: the token",
      400,
      { error: "Authorization header is invalid, use 'Bearer API_TOKEN'" },
    ],
    ["LM Studio, with 200", 200, { error: "Unexpected endpoint or method. (POST /embeddings)" }],
  ];
  test.each(rows)("%s", (_, status, body) => {
    expect(sorted(status, body)).toBe("fatal");
  });
});

describe("what nobody with this account can pass", () => {
  const rows: [string, number, unknown][] = [
    ["OpenRouter: credits", 402, { error: { code: 402, message: "Insufficient credits" } }],
    [
      "OpenAI: no quota",
      429,
      openAI("You exceeded your current quota, please check your plan and billing details.", {
        type: "insufficient_quota",
        code: "insufficient_quota",
      }),
    ],
    [
      "OpenAI: a hard limit",
      400,
      openAI("Billing hard limit has been reached", { code: "billing_hard_limit_reached" }),
    ],
    [
      "SiliconFlow: balance",
      403,
      { code: 30001, message: "Sorry, your account balance is insufficient" },
    ],
    ["OpenAI: closed", 400, openAI("This organization has been disabled.")],
    [
      "Fireworks: suspended",
      412,
      {
        error: {
          message: "Account x is suspended, possibly due to reaching the monthly spending limit",
          code: "PRECONDITION_FAILED",
        },
      },
    ],
    [
      "a gateway: credits",
      429,
      { error: { message: "You have run out of credits", code: "credits_exhausted" } },
    ],
    ["DashScope: overdue", 400, openAI("Access denied", { code: "Arrearage" })],
    [
      "Gemini: the day's requests",
      429,
      quota("EmbedContentRequestsPerDayPerUserPerProjectPerModel-FreeTier"),
    ],
  ];
  test.each(rows)("%s", (_, status, body) => {
    expect(sorted(status, body)).toBe("fatal/account");
  });

  test("Gemini's quota of a minute has the same sentence, and is a matter of a minute", () => {
    const body = quota("EmbedContentRequestsPerMinutePerUserPerProjectPerModel-FreeTier");
    expect(sorted(429, body)).toBe("rateLimited");
  });
});

describe("a model that is not there yet", () => {
  const rows: [string, unknown][] = [
    ["Hugging Face", { error: "Model intfloat/e5 is currently loading", estimated_time: 20 }],
    [
      "Azure",
      { error: { message: "The deployment is being upgraded", code: "DeploymentNotReady" } },
    ],
  ];
  test.each(rows)("%s, with 400", (_, body) => {
    expect(sorted(400, body)).toBe("unavailable");
  });
});
