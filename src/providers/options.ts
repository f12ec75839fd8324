// Options that all providers over HTTP have, checked. No value that may hold a key is ever shown.

import * as v from "valibot";
import {
  beginningOf,
  check,
  GROUP,
  keyName,
  kindOf,
  limitEntries,
  wholeFrom,
} from "../model/check.ts";
import type { EmbedContext, Embedder, EmbedderLimits, EmbedReply } from "../model/embedder.ts";
import { EmbedqError } from "../model/errors.ts";
import type { Endpoint, Fetch } from "./http.ts";

/** Options of every provider over HTTP. */
export interface HttpOptions {
  /** Headers of your own, sent with every call. Their values are never shown. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Limits that differ from those that are known of the provider; only what is named is replaced. */
  readonly limits?: EmbedderLimits | undefined;
  /** Whose rate limits the calls count against; two queues with one name share a budget. @default the API's host */
  readonly account?: string | undefined;
  /** What to call in the place of the global `fetch`. */
  readonly fetch?: Fetch | undefined;
}

/** What the providers over HTTP make. */
export interface HttpEmbedder extends Embedder {
  /**
   * Embeds the texts in one call.
   *
   * @throws {EmbedderError} Of the kind that the provider's answer is.
   */
  embed(texts: readonly string[], context?: EmbedContext): Promise<EmbedReply>;
  /**
   * Embeds a search query, as the provider wants queries to be embedded.
   *
   * @throws {EmbedderError} Of the kind that the provider's answer is.
   */
  embedQuery(query: string, context?: EmbedContext): Promise<Float32Array>;
}

const ENTRIES = {
  limits: v.optional(v.strictObject(limitEntries, GROUP)),
  account: v.optional(keyName),
  fetch: v.optional(v.function("must be a function")),
  // Checked by endpointOf, which does not show them.
  headers: v.optional(v.unknown()),
  apiKey: v.optional(v.unknown()),
  baseUrl: v.optional(v.unknown()),
};

/** Words before each text. */
export const prefix: v.GenericSchema<string> = v.string("must be a text");
/** Numbers in a vector. */
export const dimensionsFrom = (minimum: number, maximum: number): v.GenericSchema<number> =>
  wholeFrom(minimum, maximum);

/** @throws {EmbedqError} `ERR_OPTION_INVALID` for what is wrong, or is no option. */
export function checkOptions(own: v.ObjectEntries, options: object): void {
  check(v.strictObject({ ...ENTRIES, ...own }, GROUP), options, "");
}

/** Where calls to this path go, with the headers that carry the key. */
export function endpointOf(
  options: HttpOptions,
  baseUrl: unknown,
  path: string,
  keyHeaders: (apiKey: string) => Readonly<Record<string, string>>,
  apiKey: string | undefined,
): Endpoint {
  const url = checkedUrl(baseUrl);
  const base = url.pathname.replace(/\/+$/, "");
  if (base.endsWith(path)) {
    throw wrongUrl(`must be the address up to the part before ${path}`, `it ends with ${path}`);
  }
  url.pathname = `${base}${path}`;
  const key = apiKey === undefined ? undefined : checkedKey(apiKey);
  const headers = checkedHeaders(options.headers ?? {});
  return {
    url: url.href,
    headers: {
      "content-type": "application/json",
      accept: "application/json",
      ...(key !== undefined && keyHeaders(key)),
      ...headers,
    },
    // Keys may come in headers, too: Azure's api-key, or a gateway's.
    secrets: [...(key === undefined ? [] : [key]), ...Object.values(headers)],
    fetch: options.fetch ?? ((...call) => globalThis.fetch(...call)),
  };
}

/** The provider's limits with those that the user names, less what the prefix takes. */
export function limitsOf(
  known: EmbedderLimits,
  named: EmbedderLimits = {},
  prefixTokens = 0,
): EmbedderLimits {
  const given = Object.entries(named).filter(([, value]) => value !== undefined);
  const limits: EmbedderLimits = { ...known, ...Object.fromEntries(given) };
  if (prefixTokens === 0) return limits;
  const { maxInputTokens, maxTokens, maxItems = 50 } = limits;
  const less = (limit: number | undefined, tokens: number) =>
    limit === undefined ? undefined : Math.max(1, limit - tokens);
  return {
    ...limits,
    maxInputTokens: less(maxInputTokens, prefixTokens),
    maxTokens: less(maxTokens, prefixTokens * maxItems),
  };
}

function checkedUrl(value: unknown): URL {
  const begins = "must be an address that begins with http:// or https://";
  if (typeof value !== "string") throw wrongUrl(begins, `it is ${kindOf(value)}`);
  if (!/^https?:\/\//i.test(value)) throw wrongUrl(begins, beginningOf(value));
  if (!URL.canParse(value)) throw wrongUrl("must be a valid address", "it is none (not shown)");
  const url = new URL(value);
  if (url.username || url.password) {
    throw wrongUrl("must be without user and password", "it has them. Use `apiKey` or `headers`");
  }
  if (url.hash) throw wrongUrl("must be without a fragment", "it has one, after the #");
  return url;
}

function wrongUrl(wanted: string, found: string): EmbedqError {
  return new EmbedqError(
    "ERR_OPTION_INVALID",
    `Cannot use the option \`baseUrl\` as it ${wanted}: ${found}`,
  );
}

function checkedKey(key: unknown): string {
  if (typeof key === "string" && /^[\x21-\x7e]+$/.test(key)) return key;
  const found = typeof key === "string" ? `a text of ${key.length} characters` : typeof key;
  throw hidden("apiKey", "must be of printable ASCII characters without blanks", found);
}

function checkedHeaders(headers: Readonly<Record<string, unknown>>): Record<string, string> {
  const checked: Record<string, string> = {};
  if (typeof headers !== "object" || Array.isArray(headers)) {
    throw hidden("headers", "must be an object", typeof headers);
  }
  for (const [name, value] of Object.entries(headers)) {
    const isValid = typeof value === "string" && /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
    if (!isValid || !/^[\w!#$%&'*+.^`|~-]+$/.test(name)) {
      throw hidden(`headers.${name}`, "must be a header with a text", typeof value);
    }
    checked[name.toLowerCase()] = value;
  }
  return checked;
}

function hidden(path: string, wanted: string, found: string): EmbedqError {
  return new EmbedqError(
    "ERR_OPTION_INVALID",
    `Cannot use the option \`${path}\` as it ${wanted}: it is ${found} (not shown)`,
  );
}
