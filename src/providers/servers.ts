// What is known of servers that speak OpenAI's format.

import type { EmbedderLimits } from "../model/embedder.ts";

/** How one server differs from the cautious defaults. */
export interface ServerTraits {
  readonly limits: EmbedderLimits;
  /** Asked for where the server is known to give it; without it, the server's default: floats. */
  readonly encodingFormat?: "base64" | "float" | undefined;
}

/**
 * Servers that are known by name:
 *
 * - `tei`: Text Embeddings Inference takes 32 texts a call unless it is started with another number.
 * - `vllm`: no cap on texts; 256 keep a call short.
 * - `ollama`: no documented cap.
 * - `lmStudio`: floats only.
 * - `liteLLM`: what stands behind it decides; base64 is not passed on by all.
 * - `dashScope`: 10 texts a call.
 * - `siliconFlow`: 64 texts a call.
 */
export type KnownServer =
  | "tei"
  | "vllm"
  | "ollama"
  | "lmStudio"
  | "liteLLM"
  | "dashScope"
  | "siliconFlow";

/** The table behind {@link KnownServer}. A limit that is wrong costs a refusal, after which it is lowered. */
export const SERVERS: Readonly<Record<KnownServer, ServerTraits>> = {
  tei: { limits: { maxItems: 32 }, encodingFormat: "base64" },
  vllm: { limits: { maxItems: 256 }, encodingFormat: "base64" },
  ollama: { limits: { maxItems: 64 } },
  lmStudio: { limits: { maxItems: 64 }, encodingFormat: "float" },
  liteLLM: { limits: { maxItems: 50 }, encodingFormat: "float" },
  dashScope: { limits: { maxItems: 10 }, encodingFormat: "float" },
  siliconFlow: { limits: { maxItems: 64 } },
};
