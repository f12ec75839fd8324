// What may be asked of a provider in a minute or a day, by all processes of an account together.

import * as v from "valibot";
import { GROUP, keyName, wholeFrom } from "./check.ts";

/**
 * A rate budget. Every call reserves its share in Redis before it is made, and waits where there is
 * none; what the provider reports afterwards corrects it, and what is reserved next. Limits left out do not apply
 * here, but what is asked for counts towards those of others.
 */
export interface Budget {
  /**
   * Whose budget it is: all queues that name the same account share it. Never an API key, as it is
   * part of a key in Redis.
   * @default the embedder's account, else the name of the queue
   */
  readonly account?: string | undefined;
  /** Provider calls a minute; texts, where the provider counts each (`costPerItem`). */
  readonly requestsPerMinute?: number | undefined;
  /** Tokens a minute. */
  readonly tokensPerMinute?: number | undefined;
  /** As `requestsPerMinute`, in 24 hours. */
  readonly requestsPerDay?: number | undefined;
  /** Tokens in 24 hours. */
  readonly tokensPerDay?: number | undefined;
  /** Requests that one text counts for; 0 where a call counts as one. @default the embedder's `limits.costPerItem`, else 0 */
  readonly costPerItem?: number | undefined;
  /** The length of the "minute", in milliseconds; the same for all of an account, as windows of another length are counted apart. @default 60000 */
  readonly windowMs?: number | undefined;
}

/** @see Budget */
export const budgetSchema: v.GenericSchema<Budget | undefined> = v.optional(
  v.strictObject(
    {
      account: v.optional(keyName),
      requestsPerMinute: v.optional(wholeFrom(1)),
      tokensPerMinute: v.optional(wholeFrom(1)),
      requestsPerDay: v.optional(wholeFrom(1)),
      tokensPerDay: v.optional(wholeFrom(1)),
      costPerItem: v.optional(wholeFrom(0)),
      windowMs: v.optional(wholeFrom(100, 86_399_999)),
    },
    GROUP,
  ),
);
