// What a provider's HTTP reply says where it is no success: its messages, codes and details, from
// whatever shape of JSON they come in.

/** Headers as the runtimes and client libraries hold them. */
export type HeaderSource = { get(name: string): string | null } | Readonly<Record<string, unknown>>;

/** An HTTP reply, as far as it is known. */
export interface HttpReply {
  readonly status: number;
  readonly headers?: HeaderSource | undefined;
  /** Parsed JSON, or text, or what a client library made of it. */
  readonly body?: unknown;
}

/** What the body of a refusal says. */
export interface Statement {
  /** Sentences for people, the outermost first; none twice. */
  readonly messages: readonly string[];
  /** Words for programs: codes, types, reasons and statuses. */
  readonly codes: readonly string[];
  /** Names of the parameters that are at fault. */
  readonly params: readonly string[];
  /** Names of the quotas that are used up. */
  readonly quotas: readonly string[];
  /** Waits that are asked for, as durations. */
  readonly delays: readonly string[];
  /** Headers of the provider that a router quotes. */
  readonly headers: readonly HeaderSource[];
  /** The status that the body names, where the reply itself says 200. */
  readonly status: number | undefined;
  /** True for a page of a gateway, or nothing at all, in the place of what the API would say. */
  readonly isForeign: boolean;
}

/** The header's value; names in any case. */
export function headerOf(headers: HeaderSource | undefined, name: string): string | undefined {
  if (typeof headers !== "object" || headers === null) return undefined;
  if (typeof headers.get === "function") return (headers.get(name) as string | null) ?? undefined;
  for (const [found, value] of Object.entries(headers)) {
    if (found.toLowerCase() !== name) continue;
    const first: unknown = Array.isArray(value) ? value[0] : value;
    if (typeof first === "string" || typeof first === "number") return String(first);
  }
  return undefined;
}

/** Statuses in words: those of gRPC, as Google's services have them, and types of OpenAI's and others' errors. */
const STATUS_WORDS: Readonly<Record<string, number>> = {
  INVALID_ARGUMENT: 400,
  FAILED_PRECONDITION: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  RESOURCE_EXHAUSTED: 429,
  INTERNAL: 500,
  UNAVAILABLE: 503,
  DEADLINE_EXCEEDED: 504,
  rate_limit_exceeded: 429,
  rate_limit_error: 429,
  invalid_request_error: 400,
  authentication_error: 401,
  permission_error: 403,
  not_found_error: 404,
};

const MESSAGE_NAMES = ["message", "msg", "error_description"];
const CODE_NAMES = [
  "code",
  "type",
  "status",
  "reason",
  "error_type",
  "error_code",
  "provider_code",
];
/** What can hold more of it. A string there is a sentence, or JSON once more. */
const NESTED_NAMES = ["error", "errors", "detail", "details", "metadata", "raw", "violations"];

/** What gateways answer in the place of the API; DashScope begins sentences with "<400>". */
const PAGE = /^<[!?a-z]/i;

/** True for a page in HTML, which tells nothing in a message. */
export function isPage(text: string): boolean {
  return PAGE.test(text.trimStart());
}

/** A body comes from anywhere: neither its depth nor its length is trusted. */
const MAX_DEPTH = 8;
const MAX_NODES = 100;

/** Reads a body. Never throws. */
export function readStatement(body: unknown): Statement {
  const reader = new Reader();
  reader.read(body, 0);
  const isBlank = partsOf(body).some((part) => typeof part === "string" && part.trim() === "");
  reader.isForeign = reader.messages.length === 0 && (reader.hasPage || isBlank);
  return reader;
}

/**
 * True where a body has an error, as those of routers do that come with status 200. One that says
 * nothing, such as `""` or `{}` beside the data, is none.
 */
export function holdsError(body: unknown): boolean {
  return partsOf(body).some((part) => {
    const json = typeof part === "string" ? parsed(part) : part;
    return saysSomething(((json ?? {}) as { error?: unknown }).error, 0);
  });
}

function saysSomething(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return Boolean(value);
  if (depth > MAX_DEPTH) return true;
  return Object.values(value).some((inner) => saysSomething(inner, depth + 1));
}

/** Client libraries keep several forms of one body. */
function partsOf(body: unknown): readonly unknown[] {
  return Array.isArray(body) ? body : [body];
}

class Reader implements Statement {
  readonly messages: string[] = [];
  readonly codes: string[] = [];
  readonly params: string[] = [];
  readonly quotas: string[] = [];
  readonly delays: string[] = [];
  readonly headers: HeaderSource[] = [];
  status: number | undefined;
  isForeign = false;
  hasPage = false;
  #nodes = 0;

  read(value: unknown, depth: number): void {
    if (depth > MAX_DEPTH || this.#nodes++ > MAX_NODES) return;
    if (typeof value === "string") this.#readText(value, depth);
    else if (Array.isArray(value)) for (const part of value) this.read(part, depth + 1);
    else if (typeof value === "object" && value !== null) {
      this.#readObject(value as Record<string, unknown>, depth);
    }
  }

  #readText(text: string, depth: number): void {
    const trimmed = text.trim();
    if (isPage(trimmed)) this.hasPage = true;
    if (trimmed === "" || isPage(trimmed)) return;
    const inner = /^[[{]/.test(trimmed) ? parsed(trimmed) : undefined;
    if (inner !== undefined) this.read(inner, depth + 1);
    else if (!this.messages.includes(trimmed)) this.messages.push(trimmed);
  }

  #readObject(object: Record<string, unknown>, depth: number): void {
    for (const name of MESSAGE_NAMES) {
      if (typeof object[name] === "string") this.#readText(object[name], depth);
    }
    for (const name of CODE_NAMES) this.#readCode(object[name]);
    this.#readParam(object["param"] ?? object["field"] ?? object["loc"]);
    if (typeof object["quotaId"] === "string") this.quotas.push(object["quotaId"]);
    if (typeof object["quotaMetric"] === "string") this.quotas.push(object["quotaMetric"]);
    if (typeof object["retryDelay"] === "string") this.delays.push(object["retryDelay"]);
    const { headers } = object;
    if (typeof headers === "object" && headers !== null) this.headers.push(headers as HeaderSource);
    this.read(object["fieldViolations"], depth + 1);
    for (const name of NESTED_NAMES) this.read(object[name], depth + 1);
  }

  #readCode(code: unknown): void {
    if (typeof code === "number" && code >= 400 && code < 600) this.status ??= code;
    if (typeof code !== "string" || code === "") return;
    this.codes.push(code);
    this.status ??= /^[45]\d\d$/.test(code) ? Number(code) : STATUS_WORDS[code];
  }

  #readParam(param: unknown): void {
    // The path of pydantic: ["body", "input", 3].
    const name = Array.isArray(param)
      ? param.filter((part) => typeof part === "string" && part !== "body").join(".")
      : param;
    if (typeof name === "string" && name !== "") this.params.push(name);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // a sentence that begins with a bracket
  }
}
