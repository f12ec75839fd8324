// One provider call: bounded in time, counted, its reply checked. Knows nothing of what failures mean.

import type { Slot } from "../model/batch.ts";
import { checkResults, reportedTokens } from "../model/contract.ts";
import { withinDeadline } from "../model/deadline.ts";
import type { Embedder, EmbedResult } from "../model/embedder.ts";
import { EmbedderError } from "../model/errors.ts";

/** Leave to make one call: told afterwards what the call was worth, as far as the provider says. */
export interface Permit {
  end(tokens: number | undefined): void;
}

/** What a call will carry. */
export interface CallSize {
  readonly items: number;
  readonly tokens: number;
}

/** What the provider was asked for. */
export interface CallCounts {
  /** Provider calls made. */
  calls: number;
  /** Texts that came back as vectors. */
  texts: number;
  /** Tokens of the calls that came back, reported or estimated. */
  tokens: number;
  /** The part of these that is an estimate. */
  tokensEstimated: number;
  /** How full the calls were, in thousandths, summed. */
  fillPermille: number;
}

export const NO_CALLS: Readonly<CallCounts> = {
  calls: 0,
  texts: 0,
  tokens: 0,
  tokensEstimated: 0,
  fillPermille: 0,
};

export interface CallStage {
  readonly embedder: Embedder;
  readonly timeoutMs: number;
  /** Raised when calls in flight must end now. */
  readonly signal: AbortSignal;
  /** How much of a call these slots fill, by the limits as they are known now: more than 1 is refused. */
  fillOf(slots: readonly Slot[]): number;
  /** Texts that the queue collects for a call: a call with as many is full, whatever it might carry. */
  readonly batchSize: number;
}

/** Makes one call; an embedder that ignores the signal is left behind. Adds to the counts. */
export async function callEmbedder(
  { embedder, timeoutMs, signal, fillOf, batchSize }: CallStage,
  slots: readonly Slot[],
  permit: Permit,
  counts: CallCounts,
): Promise<readonly EmbedResult[]> {
  counts.calls++;
  const fill = Math.max(fillOf(slots), slots.length / batchSize);
  counts.fillPermille += Math.round(1000 * Math.min(1, fill));
  const late = () =>
    new EmbedderError(
      "unavailable",
      `The embedder took longer than embedTimeoutMs, ${timeoutMs} ms`,
    );
  let tokens: number | undefined;
  try {
    const texts = slots.map(({ text }) => text);
    const call = (callSignal: AbortSignal) => embedder.embed(texts, { signal: callSignal });
    const reply = await withinDeadline(call, timeoutMs, signal, late);
    tokens = reportedTokens(reply);
    const results = checkResults(reply, texts.length);
    const estimate = tokensOf(slots);
    counts.tokens += tokens ?? estimate;
    counts.tokensEstimated += tokens === undefined ? estimate : 0;
    return results;
  } finally {
    permit.end(tokens);
  }
}

/** Counted or estimated tokens of a call. */
export function tokensOf(slots: readonly Slot[]): number {
  return slots.reduce((sum, { tokens }) => sum + tokens, 0);
}
