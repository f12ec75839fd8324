// Which calls to make for claimed jobs, by what is known of the provider and of the texts.

import { formBatches, type Plan, remainderOf } from "./flow/batch.ts";
import type { Batch } from "./model/batch.ts";
import type { EmbedderLimits } from "./model/embedder.ts";
import type { Evidence } from "./model/evidence.ts";
import type { Job } from "./model/job.ts";
import type { OversizePolicy } from "./model/oversize.ts";

export interface PlanStage {
  /** The limits of a call as they are known now, and what the embedder says of itself. */
  readonly limits: { readonly current: EmbedderLimits; readonly stated: EmbedderLimits };
  readonly evidence: Evidence;
  readonly onOversize: OversizePolicy;
}

export interface CallPlan extends Plan {
  /** The last call that would not be full, in none of the batches: to be held back until more is claimed. */
  readonly remainder: Batch | undefined;
}

/** Plans calls. What failed together before goes in calls of its own, behind the others, halved each time. */
export function planCalls(
  { limits, evidence, onOversize }: PlanStage,
  jobs: readonly Job[],
  holdsBack: boolean,
): CallPlan {
  const { others, halves } = evidence.sift(jobs);
  const plan = formBatches(others, limits.current, onOversize, limits.stated);
  const remainder = holdsBack ? remainderOf(plan.batches, limits.current) : undefined;
  const apart = halves.map((half) => formBatches(half, limits.current, onOversize, limits.stated));
  return {
    batches: [
      ...plan.batches.filter((batch) => batch !== remainder),
      ...apart.flatMap(({ batches }) => batches),
    ],
    oversized: [...plan.oversized, ...apart.flatMap(({ oversized }) => oversized)],
    remainder,
  };
}

/**
 * The same calls in another order, the first of them smaller after each setback: where it is one text
 * that makes the provider look away, calls without it get through.
 */
export function withSmallFirst(batches: readonly Batch[], setbacks: number): readonly Batch[] {
  if (setbacks === 0) return batches;
  const [first, ...others] = rotated(batches, setbacks % batches.length);
  if (first === undefined) return batches;
  const size = Math.ceil(first.slots.length / 2 ** setbacks);
  // Not the same texts each time.
  const slots = rotated(first.slots, (setbacks * size) % first.slots.length);
  const parts = [slots.slice(0, size), slots.slice(size)].filter(({ length }) => length > 0);
  return [...parts.map((part) => ({ slots: part })), ...others];
}

function rotated<T>(list: readonly T[], by: number): readonly T[] {
  return [...list.slice(by), ...list.slice(0, by)];
}
