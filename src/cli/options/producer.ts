// Options of the commands that put texts in.

import { PROVIDER, type ProviderValues } from "./shared.ts";
import { flagOnly, type SpecsOf } from "./spec.ts";

export type ModelValues = Pick<ProviderValues, "model" | "dimensions" | "task">;

/**
 * The model that the queue is to have. Only as flags: who puts texts in need not know it, and what the
 * config file says for workers may be half of it.
 */
export const MODEL: SpecsOf<ModelValues> = {
  model: flagOnly(PROVIDER.model),
  dimensions: flagOnly(PROVIDER.dimensions),
  task: flagOnly(PROVIDER.task),
};
