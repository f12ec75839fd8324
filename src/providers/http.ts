// One call over HTTP: JSON there, JSON back, and every failure sorted. Shared by all providers.

import { EmbedderError, messageOf } from "../model/errors.ts";
import { type HttpReply, holdsError } from "../model/http-reply.ts";
import { sortRefusal } from "../model/refusals.ts";
import { type Hidden, scrub } from "../model/scrub.ts";

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
/** It says so at once: what its status and headers say is not kept back by a body that hangs. */
const MAX_REFUSAL_MS = 2000;

/**
 * Posts JSON and gives the parsed reply.
 *
 * @throws {EmbedderError} Of the kind that the reply is; `unavailable` where none came.
 * @throws The signal's reason, where it was raised.
 */
export async function postJson(endpoint: Endpoint, call: Call): Promise<unknown> {
  const hidden = { secrets: secretsOf(endpoint), texts: call.texts };
  const { status, headers, text } = await exchange(endpoint, call, hidden);
  const body = parse(text);
  if (!isSuccess(status) || holdsError(body)) {
    const reply: HttpReply = { status, headers, body: body ?? text };
    const refusal = sortRefusal(reply, { ...hidden, nowMs: Date.now() });
    if (refusal === undefined) throw away(endpoint, `it answers with HTTP ${status}`);
    // An API that knows the path answers with an error of its own.
    const isLost = (status === 404 || status === 405) && !holdsError(body);
    throw isLost ? withPath(refusal, endpoint, hidden) : refusal;
  }
  if (body === undefined) {
    throw away(endpoint, `its reply of ${text.length} characters is no JSON`);
  }
  return body;
}

/** The path is likely to be wrong: it is named, without the query, which may hold a key. */
function withPath(refusal: EmbedderError, { url }: Endpoint, hidden: Hidden): EmbedderError {
  const { host, pathname } = new URL(url);
  const { kind, message, retryAfterMs, scope, exceeded } = refusal;
  const called = scrub(`${host}${pathname}`, hidden);
  return new EmbedderError(kind, `${message} (called: ${called})`, {
    retryAfterMs,
    scope,
    exceeded,
  });
}

/** Keys may also stand in the query of the address; its version is none. */
function secretsOf({ url, secrets }: Endpoint): readonly string[] {
  const inQuery = [...new URL(url).searchParams]
    .filter(([name]) => !/version$/i.test(name))
    .flatMap(([, value]) => [value, encodeURIComponent(value)]);
  return [...secrets, ...inQuery];
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

async function exchange(endpoint: Endpoint, call: Call, hidden: Hidden): Promise<Answer> {
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
    if (!isSuccess(status)) return { status, headers, text: await readRefusal(response) };
    const { text, isCut } = await readText(response, call.maxReplyBytes);
    if (isCut) throw away(endpoint, `its reply has more than ${call.maxReplyBytes} bytes`);
    return { status, headers, text };
  } catch (error) {
    if (error instanceof EmbedderError) throw error;
    signal?.throwIfAborted();
    throw away(endpoint, networkReason(error, hidden), bareError(error, hidden));
  }
}

/** The body of a refusal; nothing where it does not come to an end. */
async function readRefusal(response: Response): Promise<string> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), MAX_REFUSAL_MS);
  try {
    const { text } = await readText(response, MAX_REFUSAL_BYTES, late.signal);
    return late.signal.aborted ? "" : text;
  } finally {
    clearTimeout(timer);
  }
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/** The body as text, of which no more is kept than this; what came until `late` is raised. */
async function readText(
  response: Response,
  maxBytes: number,
  late?: AbortSignal,
): Promise<{ readonly text: string; readonly isCut: boolean }> {
  const decoder = new TextDecoder();
  const parts: string[] = [];
  let bytes = 0;
  const reader = response.body?.getReader();
  // Ends the read that is under way as if the body were at its end. Who wrote it may take its time.
  late?.addEventListener("abort", () => void reader?.cancel().catch(() => undefined));
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

/** The reason of a network error, which fetch hides in the cause. */
function networkReason(error: unknown, hidden: Hidden): string {
  return scrub(codeIn(error) ?? messageOf(causeIn(error) ?? error), hidden);
}

function causeIn(error: unknown): Error | undefined {
  return error instanceof Error && error.cause instanceof Error ? error.cause : undefined;
}

function codeIn(error: unknown): string | undefined {
  const codes = [error, causeIn(error)].map((at) => (at as { code?: unknown } | undefined)?.code);
  return codes.find((code): code is string => typeof code === "string");
}

/** The error without what a client hangs on its own: the request, with its headers and texts. */
function bareError(error: unknown, hidden: Hidden): Error {
  const bare = new Error(scrub(messageOf(error), hidden));
  if (error instanceof Error) bare.name = scrub(error.name, hidden);
  const code = codeIn(error);
  return code === undefined ? bare : Object.assign(bare, { code: scrub(code, hidden) });
}

function away({ url }: Endpoint, found: string, cause?: Error): EmbedderError {
  const { host } = new URL(url);
  const message = scrub(`Cannot get embeddings from ${host} as it must answer: ${found}`);
  return new EmbedderError("unavailable", message, cause === undefined ? {} : { cause });
}
