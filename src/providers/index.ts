/**
 * Embedders that come with embedq.
 *
 * @module
 */

export type { AiSdkOptions } from "./ai-sdk.ts";
export { aiSdk } from "./ai-sdk.ts";
export type {
  AiSdkCall,
  AiSdkModel,
  AiSdkProviderOptions,
  AiSdkReply,
} from "./ai-sdk-model.ts";
export type { GeminiOptions, GeminiTaskType } from "./gemini.ts";
export { gemini } from "./gemini.ts";
export type { HashingEmbedder, HashingOptions } from "./hashing.ts";
export { hashing } from "./hashing.ts";
export type { Fetch } from "./http.ts";
export type { OpenAIOptions } from "./openai.ts";
export { openAI } from "./openai.ts";
export type { OpenAICompatibleOptions } from "./openai-compatible.ts";
export { openAICompatible } from "./openai-compatible.ts";
export type { OpenRouterOptions } from "./openrouter.ts";
export { openRouter } from "./openrouter.ts";
export type { HttpEmbedder, HttpOptions } from "./options.ts";
export type { KnownServer } from "./servers.ts";
