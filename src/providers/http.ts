// One call over HTTP: JSON there, JSON back, and every failure sorted. Shared by all providers.

import { EmbedderError, EmbedqError, messageOf } from "../model/errors.ts";
import { type HttpReply, readStatement } from "../model/http-reply.ts";
import { refusalMessage, sortRefusal } from "../model/refusals.ts";
import { scrub } from "../model/scrub.ts";

/** What is used of `fetch`. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** Where calls go, and what must never be shown. */
export interface Endpoint {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
  readonly fetch: Fetch;
}

/** One call. */
export interface Call {
  readonly body: string;
  /** What is in the body, so that no error shows it. */
  readonly texts: readonly string[];
  /** Bytes that a rightful reply may have. */
  readonly maxReplyBytes: number;
  readonly signal: AbortSignal | undefined;
}

/** A refusal says what it must in less; what is beyond is not read. */
const MAX_REFUSAL_BYTES = 256 * 1024;

/**
 * Posts JSON and gives the parsed reply.
 *
 * @throws {EmbedderError} Of the kind that the reply is; `unavailable` where none came.
 * @throws The signal's reason, where it was raised.
 */
export async function postJson(endpoint: Endpoint, call: Call): Promise<unknown> {
  const { status, headers, text } = await exchange(endpoint, call);
  const body = parse(text);
  const options = { nowMs: Date.now(), secrets: endpoint.secrets, texts: call.texts };
  if (!isSuccess(status) || errorIn(body) !== undefined) {
    const reply: HttpReply = { status, headers, body: body ?? text };
    const refusal = sortRefusal(reply, options);
    if (refusal !== undefined) throw refusal;
    // An error that says nothing about its kind.
    const message = refusalMessage(status, readStatement(reply.body), options);
    throw new EmbedqError("ERR_EMBEDDER", message);
  }
  if (body === undefined) {
    throw away(endpoint, `its reply of ${text.length} characters is no JSON`);
  }
  return body;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

async function exchange(endpoint: Endpoint, call: Call): Promise<Answer> {
  const { signal } = call;
  signal?.throwIfAborted();
  try {
    const response = await endpoint.fetch(endpoint.url, {
      method: "POST",
      headers: endpoint.headers,
      body: call.body,
      // A redirect would carry keys in headers of our own to another host.
      redirect: "manual",
      ...(signal && { signal }),
    });
    const { status, headers } = response;
    const maxBytes = isSuccess(status) ? call.maxReplyBytes : MAX_REFUSAL_BYTES;
    const { text, isCut } = await readText(response, maxBytes);
    if (isCut && isSuccess(status)) {
      throw away(endpoint, `its reply has more than ${maxBytes} bytes`);
    }
    return { status, headers, text };
  } catch (error) {
    if (error instanceof EmbedderError) throw error;
    signal?.throwIfAborted();
    throw away(endpoint, reasonOf(error, endpoint), error);
  }
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/** The body as text, of which no more is kept than this. */
async function readText(
  response: Response,
  maxBytes: number,
): Promise<{ readonly text: string; readonly isCut: boolean }> {
  const decoder = new TextDecoder();
  const parts: string[] = [];
  let bytes = 0;
  const reader = response.body?.getReader();
  while (reader !== undefined) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes += value.length;
    if (bytes > maxBytes) {
      await reader.cancel();
      return { text: parts.join(""), isCut: true };
    }
    parts.push(decoder.decode(value, { stream: true }));
  }
  parts.push(decoder.decode());
  return { text: parts.join(""), isCut: false };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the caller says what that means
  }
}

/** What routers put into a reply with status 200 in the place of data. */
function errorIn(body: unknown): unknown {
  const { error } = (body ?? {}) as { error?: unknown };
  return error ?? undefined;
}

/** The reason of a network error, which fetch hides in the cause. */
function reasonOf(error: unknown, { secrets }: Endpoint): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : undefined;
  const code = [error, cause].map((at) => (at as { code?: unknown } | undefined)?.code);
  const word = code.find((at) => typeof at === "string");
  return word ?? scrub(messageOf(cause ?? error), { secrets });
}

function away({ url }: Endpoint, found: string, cause?: unknown): EmbedderError {
  return new EmbedderError(
    "unavailable",
    `Cannot get embeddings from ${new URL(url).host} as it must answer: ${found}`,
    cause === undefined ? {} : { cause },
  );
}
