// The seam to the provider: what an embedder is, and the limits it states.

import type { EmbedderError } from "./errors.ts";

/** One embedding as an embedder may return it: floats, or their little-endian float32 bytes. */
export type EmbeddingVector = Float32Array | readonly number[] | Uint8Array;

/** What an embedder returns for one text: its vector, or an error that concerns this text alone. */
export type EmbedResult = EmbeddingVector | EmbedderError | Error;

/** What a provider call was worth, as the provider reports it. */
export interface EmbedUsage {
  /** Tokens of all texts of the call. */
  readonly tokens?: number | undefined;
}

/** The results of one call together with what the provider reports of it. */
export interface EmbedReply {
  /** One result for each text, in the same order. */
  readonly results: readonly EmbedResult[];
  /** What the call was worth; without it, embedq counts its own estimate. */
  readonly usage?: EmbedUsage | undefined;
}

/** What a call of an embedder is told beside the texts. */
export interface EmbedContext {
  /** Raised when the call takes longer than `embedTimeoutMs`, or the worker must stop. */
  readonly signal: AbortSignal;
}

/** The most that one provider call may carry, and what a text counts. A limit left out does not apply. */
export interface EmbedderLimits {
  /** Texts a call. @default 50 */
  readonly maxItems?: number | undefined;
  /** Tokens a call, summed over its texts, as `countTokens` counts them. */
  readonly maxTokens?: number | undefined;
  /** UTF-8 bytes a call, summed over its texts. */
  readonly maxBytes?: number | undefined;
  /** Tokens in one text; what is done with a longer one says `onOversize`. */
  readonly maxInputTokens?: number | undefined;
  /** Requests that one text counts for in the provider's rate limit, where a call of many texts counts as many requests. */
  readonly costPerItem?: number | undefined;
  /** Calls that the provider takes at once from one worker; `concurrency` counts where it is lower. */
  readonly maxConcurrentCalls?: number | undefined;
  /**
   * Counts the tokens of a text. The default is one token for every four UTF-8 bytes, rounded up,
   * which is how OpenAI estimates a request before it counts.
   */
  readonly countTokens?: ((text: string) => number) | undefined;
}

/**
 * Turns texts into vectors. embedq checks what comes back: one result for each text, in order,
 * each with `dimensions` finite numbers.
 *
 * @example
 * ```ts
 * import type { Embedder } from "embedq";
 *
 * export const lengths: Embedder = {
 *   model: "length-1",
 *   dimensions: 2,
 *   embed: (texts) => Promise.resolve(texts.map((text) => [text.length, 1])),
 * };
 * ```
 */
export interface Embedder {
  /** Name of the model; stored with the queue, so that two models never mix in one index. */
  readonly model: string;
  /** Numbers in each vector. */
  readonly dimensions: number;
  /** What the vectors are for, where a provider embeds for several tasks; part of the source digest. */
  readonly task?: string | undefined;
  /** The most that one call may carry. */
  readonly limits?: EmbedderLimits | undefined;
  /** Whose rate limits its calls count against, for instance the provider's host; never the key itself. */
  readonly account?: string | undefined;
  /**
   * A text that nothing can be wrong with. Sent where many texts in a row fail, to find out whether it is
   * the provider's fault. @default "hello"
   */
  readonly harmlessText?: string | undefined;
  /**
   * Embeds the texts.
   *
   * @param texts At least one text, none blank, no two equal.
   * @param context The signal to honour.
   * @returns One result for each text, in the same order; or these with the usage of the call.
   */
  embed(
    texts: readonly string[],
    context: EmbedContext,
  ): Promise<readonly EmbedResult[] | EmbedReply>;
  /** Embeds a search query, where the provider treats queries and documents differently. */
  embedQuery?(text: string, context: EmbedContext): Promise<EmbeddingVector>;
}

/** A plain function in the place of an {@link Embedder}; `model` and `dimensions` stand beside it in the options. */
export type EmbedFunction = (
  texts: readonly string[],
  context: EmbedContext,
) => Promise<readonly EmbedResult[] | EmbedReply>;

/** One token for every four UTF-8 bytes, rounded up. */
export function estimateTokens(text: string): number {
  return estimateTokensOf(utf8Length(text));
}

/** The same for a text of so many UTF-8 bytes. */
export function estimateTokensOf(bytes: number): number {
  return Math.ceil(bytes / 4);
}

/** The length of a text in UTF-8 bytes. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) continue;
    // A surrogate pair is two units and four bytes; any other unit from 0x800 on is three bytes.
    if (unit < 0x800 || (unit >= 0xd800 && unit < 0xe000)) bytes += 1;
    else bytes += 2;
  }
  return bytes;
}
