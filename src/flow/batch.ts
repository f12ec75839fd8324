// Stage 3: claimed jobs become provider calls. Pure: no clock, no Redis, no provider.

import { type EmbedderLimits, estimateTokens, utf8Length } from "../model/embedder.ts";
import type { Batch, Job } from "../model/job.ts";

/** Texts a call where the embedder states no limit: that of the system that embedq replaces. */
const DEFAULT_MAX_ITEMS = 50;

/** The most texts in one call. */
export function maxItemsOf(limits: EmbedderLimits): number {
  return limits.maxItems ?? DEFAULT_MAX_ITEMS;
}

interface OpenBatch {
  readonly texts: string[];
  readonly jobs: Job[][];
  tokens: number;
  bytes: number;
}

/**
 * Puts jobs into as few batches as the limits allow, first fit in order: a text too long for what
 * is left of one batch opens another and does not hold up the short ones behind it. Equal texts
 * share one slot. A text that exceeds a limit by itself goes alone; the provider decides.
 */
export function formBatches(jobs: readonly Job[], limits: EmbedderLimits): Batch[] {
  const maxItems = maxItemsOf(limits);
  const maxTokens = limits.maxTokens ?? Number.POSITIVE_INFINITY;
  const maxBytes = limits.maxBytes ?? Number.POSITIVE_INFINITY;
  const countTokens = (text: string) => countSafely(text, limits.countTokens ?? estimateTokens);
  const countsTokens = limits.maxTokens !== undefined;
  const countsBytes = limits.maxBytes !== undefined;

  const batches: OpenBatch[] = [];
  const slots = new Map<string, Job[]>();
  // Batches before this one are full: nothing more fits.
  let firstOpen = 0;
  for (const job of jobs) {
    const shared = slots.get(job.text);
    if (shared !== undefined) {
      shared.push(job);
      continue;
    }
    const tokens = countsTokens ? countTokens(job.text) : 0;
    const bytes = countsBytes ? utf8Length(job.text) : 0;
    while ((batches[firstOpen]?.texts.length ?? 0) >= maxItems) firstOpen++;
    let batch: OpenBatch | undefined;
    for (let at = firstOpen; at < batches.length && batch === undefined; at++) {
      const open = batches[at] as OpenBatch;
      const fits =
        open.texts.length < maxItems &&
        open.tokens + tokens <= maxTokens &&
        open.bytes + bytes <= maxBytes;
      if (fits) batch = open;
    }
    if (batch === undefined) {
      batch = { texts: [], jobs: [], tokens: 0, bytes: 0 };
      batches.push(batch);
    }
    const slot = [job];
    slots.set(job.text, slot);
    batch.texts.push(job.text);
    batch.jobs.push(slot);
    batch.tokens += tokens;
    batch.bytes += bytes;
  }
  return batches.map(({ texts, jobs: jobsOfTexts }) => ({ texts, jobs: jobsOfTexts }));
}

/** A counter of the user's may refuse a text that the provider takes; it must not hold up the others. */
function countSafely(text: string, countTokens: (text: string) => number): number {
  try {
    return countTokens(text);
  } catch {
    return estimateTokens(text);
  }
}
