// What is known of the models of OpenAI and Gemini, whoever calls them.

import type { EmbedderLimits } from "../model/embedder.ts";

export interface OpenAIModel {
  /** Numbers in a vector that is not shortened. */
  readonly dimensions: number;
  /** Whether it gives shorter vectors on demand. */
  readonly canShorten: boolean;
}

export const OPENAI_MODELS: Readonly<Record<string, OpenAIModel>> = {
  "text-embedding-3-small": { dimensions: 1536, canShorten: true },
  "text-embedding-3-large": { dimensions: 3072, canShorten: true },
  "text-embedding-ada-002": { dimensions: 1536, canShorten: false },
};

/** Of OpenAI's API, for all models. */
export const OPENAI_LIMITS: EmbedderLimits = {
  maxItems: 2048,
  maxTokens: 300_000,
  maxInputTokens: 8192,
};

/** Numbers in a vector of Gemini's that is not shortened; only such a one has length 1. */
export const GEMINI_DIMENSIONS = 3072;

/** Of Gemini's API: of the 4 MiB that a body may have, a quarter is left to what JSON adds. */
export function geminiLimits(model: string): EmbedderLimits {
  return {
    maxItems: 100,
    maxBytes: 3 * 1024 * 1024,
    maxInputTokens: isSecondGemini(model) ? 8192 : 2048,
    costPerItem: 1,
  };
}

/** The second generation: longer texts, and no task types. */
export function isSecondGemini(model: string): boolean {
  return /^gemini-embedding-2\b/.test(model);
}
