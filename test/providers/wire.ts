// The adapters at the strict loopback servers, with vectors so short that thousands are compared in a moment.

import { expect } from "bun:test";
import {
  type GeminiOptions,
  gemini,
  type HttpEmbedder,
  type OpenAICompatibleOptions,
  type OpenAIOptions,
  openAI,
  openAICompatible,
} from "../../src/providers/index.ts";
import type { Scope } from "../helpers/scope.ts";
import { GEMINI_KEY } from "./servers/gemini.ts";
import type { Loopback, Reply } from "./servers/loopback.ts";
import { bytesOf, EDGES, numbersOf } from "./servers/numbers.ts";
import { API_KEY } from "./servers/openai.ts";

/** Numbers in a vector of the OpenAI server. */
export const SIZE = 16;
/** The fewest that Gemini gives. */
export const GEMINI_SIZE = 128;

const MODEL = "text-embedding-3-small";

/** OpenAI itself, with the limits that its preset knows. */
export function wireOpenAI({ url }: Loopback, options: OpenAIOptions = {}): HttpEmbedder {
  return openAI({ apiKey: API_KEY, baseUrl: `${url}/v1`, dimensions: SIZE, ...options });
}

/** Some server with OpenAI's format, of which no limit is known. */
export function wireServer(
  { url }: Loopback,
  options: Partial<OpenAICompatibleOptions> = {},
): HttpEmbedder {
  return openAICompatible({
    baseUrl: `${url}/v1`,
    model: MODEL,
    dimensions: SIZE,
    sendDimensions: true,
    apiKey: API_KEY,
    ...options,
  });
}

export function wireGemini({ url }: Loopback, options: GeminiOptions = {}): HttpEmbedder {
  return gemini({
    apiKey: GEMINI_KEY,
    baseUrl: `${url}/v1beta`,
    outputDimensionality: GEMINI_SIZE,
    // What is stored is what was sent.
    normalize: false,
    ...options,
  });
}

interface Item {
  readonly key: string;
  readonly text: string;
}

/** Each destination holds the vector that the OpenAI server gives for its own text, bit for bit. */
export function expectOwnVectors(scope: Scope, items: readonly Item[]): Promise<void> {
  return expectVectors(scope, items, (text) => numbersOf(text, SIZE, EDGES));
}

/** The same for the Gemini server. */
export function expectOwnGeminiVectors(scope: Scope, items: readonly Item[]): Promise<void> {
  return expectVectors(scope, items, (text) => numbersOf(text, GEMINI_SIZE));
}

async function expectVectors(
  scope: Scope,
  items: readonly Item[],
  numbersFor: (text: string) => number[],
): Promise<void> {
  const stored = await Promise.all(items.map(({ key }) => scope.destination(key)));
  const wrong = items.filter(({ text }, i) => {
    const { bytes } = stored[i] ?? {};
    return bytes === undefined || !bytes.equals(bytesOf(numbersFor(text)));
  });
  expect(wrong.map(({ key }) => key)).toEqual([]);
}

/** The texts of the last call to the OpenAI server. */
export function textsOf({ received }: Loopback): readonly string[] {
  const { input = [] } = (received.at(-1)?.body ?? {}) as { input?: readonly string[] };
  return input;
}

/** Texts in each call to either server. */
export function callSizes({ received }: Loopback): number[] {
  return received.map(({ body }) => {
    const { input, requests } = body as { input?: unknown[]; requests?: unknown[] };
    return (input ?? requests ?? []).length;
  });
}

/** A reply of the OpenAI server with other items. */
export function withData(change: (data: Record<string, unknown>[]) => unknown) {
  return ({ status, body }: Reply): Reply => {
    const reply = body as { data: Record<string, unknown>[] };
    return { status, body: { ...reply, data: change(reply.data) } };
  };
}
