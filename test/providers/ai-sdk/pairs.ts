// The AI SDK in its three generations, each with its own OpenAI provider, behind one form.

import { embedMany as embedMany5 } from "ai-5";
import { embedMany as embedMany6 } from "ai-6";
import { embedMany as embedMany7 } from "ai-7";
import { createOpenAI as createOpenAI2 } from "ai-sdk-openai-2";
import { createOpenAI as createOpenAI3 } from "ai-sdk-openai-3";
import { createOpenAI as createOpenAI4 } from "ai-sdk-openai-4";
import type { AiSdkModel } from "../../../src/providers/index.ts";
import { API_KEY } from "../servers/openai.ts";

export const MODEL = "text-embedding-3-small";

export interface Embedded {
  readonly embeddings: readonly (readonly number[])[];
  readonly usage: { readonly tokens: number };
}

export interface Pair {
  readonly specificationVersion: AiSdkModel["specificationVersion"];
  /** A model of the provider package that asks the server at this address. */
  model(url: string, apiKey?: string): AiSdkModel;
  /** What the SDK itself makes of such a model. */
  embedMany(url: string, values: string[]): Promise<Embedded>;
}

const settings = (url: string, apiKey = API_KEY) => ({ baseURL: `${url}/v1`, apiKey });

export const PAIRS: readonly (readonly [string, Pair])[] = [
  [
    "ai 5 with @ai-sdk/openai 2",
    {
      specificationVersion: "v2",
      model: (url, apiKey) => createOpenAI2(settings(url, apiKey)).embedding(MODEL),
      embedMany: (url, values) =>
        embedMany5({ model: createOpenAI2(settings(url)).embedding(MODEL), values }),
    },
  ],
  [
    "ai 6 with @ai-sdk/openai 3",
    {
      specificationVersion: "v3",
      model: (url, apiKey) => createOpenAI3(settings(url, apiKey)).embedding(MODEL),
      embedMany: (url, values) =>
        embedMany6({ model: createOpenAI3(settings(url)).embedding(MODEL), values }),
    },
  ],
  [
    "ai 7 with @ai-sdk/openai 4",
    {
      specificationVersion: "v4",
      model: (url, apiKey) => createOpenAI4(settings(url, apiKey)).embedding(MODEL),
      embedMany: (url, values) =>
        embedMany7({ model: createOpenAI4(settings(url)).embedding(MODEL), values }),
    },
  ],
];
