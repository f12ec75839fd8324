// batchEmbedContents as Google documents and plays it, strict.

import { Loopback, type Received, type Reply, unknownNames } from "./loopback.ts";
import { numbersOf, tokensIn } from "./numbers.ts";

export const GEMINI_KEY = "AIzaTest0123456789abcdefghij";

/** Numbers of a vector before it is shortened. */
const FULL = 3072;
const MAX_BODY_BYTES = 4_194_304;

const TASKS = [
  "RETRIEVAL_DOCUMENT",
  "RETRIEVAL_QUERY",
  "SEMANTIC_SIMILARITY",
  "CLASSIFICATION",
  "CLUSTERING",
  "QUESTION_ANSWERING",
  "FACT_VERIFICATION",
  "CODE_RETRIEVAL_QUERY",
];

interface ContentRequest {
  readonly model?: unknown;
  readonly content?: { readonly parts?: readonly { readonly text?: unknown }[] };
  readonly taskType?: unknown;
  readonly outputDimensionality?: unknown;
}

/** A refusal in Google's shape. */
export function googleError(
  code: number,
  status: string,
  message: string,
  details: readonly object[] = [],
): Reply {
  const error = { code, message, status, ...(details.length > 0 && { details }) };
  return { status: code, body: JSON.stringify({ error }, null, 2) };
}

/** Google's 429: the wait stands in the body, and no header tells it. */
export function quotaError(quotaId: string, retryDelay?: string): Reply {
  return googleError(
    429,
    "RESOURCE_EXHAUSTED",
    "You exceeded your current quota, please check your plan and billing details.",
    [
      {
        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
        violations: [
          {
            quotaMetric: "generativelanguage.googleapis.com/embed_content_free_tier_requests",
            quotaId,
            quotaValue: "100",
          },
        ],
      },
      {
        "@type": "type.googleapis.com/google.rpc.Help",
        links: [{ description: "Learn more about Gemini API quotas", url: "https://x" }],
      },
      ...(retryDelay === undefined
        ? []
        : [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay }]),
    ],
  );
}

export function startGemini(): Promise<Loopback> {
  return Loopback.start((request, violations) => {
    const refusal = refuse(request);
    if (refusal === undefined) return embed(request);
    violations.push(String(refusal.body));
    return refusal;
  });
}

function invalid(message: string, details: readonly object[] = []): Reply {
  return googleError(400, "INVALID_ARGUMENT", message, details);
}

function refuse({ method, path, headers, body, bytes }: Received): Reply | undefined {
  const model = /^\/v1beta\/models\/(gemini-embedding-\w+):batchEmbedContents$/.exec(path)?.[1];
  // A key in the address would end here, too.
  if (model === undefined) return googleError(404, "NOT_FOUND", `No method at ${path}`);
  if (method !== "POST") return googleError(405, "INVALID_ARGUMENT", `Not allowed to ${method}`);
  if (headers["x-goog-api-key"] !== GEMINI_KEY) {
    return invalid("API key not valid. Please pass a valid API key.", [
      {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        reason: "API_KEY_INVALID",
        domain: "googleapis.com",
      },
    ]);
  }
  if (bytes > MAX_BODY_BYTES) {
    return invalid(`Request payload size exceeds the limit: ${MAX_BODY_BYTES} bytes.`);
  }
  if (typeof body !== "object" || body === null) return invalid("Invalid JSON payload received.");
  const [odd] = unknownNames(body, ["requests"]);
  const { requests } = body as { requests?: readonly ContentRequest[] };
  if (odd !== undefined || !Array.isArray(requests) || requests.length === 0) {
    return invalid(`Invalid JSON payload received. Unknown name "${odd}": Cannot find field.`);
  }
  if (requests.length > 100) {
    return invalid(
      "* BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch\n",
    );
  }
  for (const request of requests as readonly ContentRequest[]) {
    const refusal = refuseContent(request, model);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function refuseContent(request: ContentRequest, model: string): Reply | undefined {
  const fields = ["model", "content", "taskType", "outputDimensionality"];
  const [odd] = unknownNames(request, fields);
  if (odd !== undefined) {
    return invalid(`Invalid JSON payload received. Unknown name "${odd}": Cannot find field.`);
  }
  if (request.model !== `models/${model}`) return invalid("unexpected model name format");
  const parts = request.content?.parts;
  const [part] = parts ?? [];
  if (parts?.length !== 1 || typeof part?.text !== "string" || part.text === "") {
    return invalid("empty Part");
  }
  const { taskType, outputDimensionality: size } = request;
  const takesTask = model === "gemini-embedding-001";
  if (taskType !== undefined && (!takesTask || !TASKS.includes(String(taskType)))) {
    return invalid("Invalid value at 'requests[0].task_type'", [
      { fieldViolations: [{ field: "requests[0].task_type", description: "Invalid value" }] },
    ]);
  }
  if (
    size !== undefined &&
    !(Number.isInteger(size) && Number(size) >= 128 && Number(size) <= FULL)
  )
    return invalid("outputDimensionality must be from 128 to 3072");
  const most = takesTask ? 2048 : 8192;
  const tokens = tokensIn(part.text);
  if (tokens <= most) return undefined;
  return invalid(
    `The input token count (${tokens}) exceeds the maximum number of tokens allowed (${most}).`,
  );
}

/** Shortened vectors are not scaled to length 1, as those of gemini-embedding-001 are not. */
function embed({ body }: Received): Reply {
  const { requests } = body as { requests: readonly ContentRequest[] };
  const embeddings = requests.map(({ content, outputDimensionality }) => {
    const text = String(content?.parts?.[0]?.text);
    return { values: numbersOf(text, Number(outputDimensionality ?? FULL)) };
  });
  // Google indents, and Gemini may say what was used.
  return { status: 200, body: JSON.stringify({ embeddings }, null, 2) };
}
