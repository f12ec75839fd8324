// How much one provider call may carry, as this worker knows it: what the embedder states, lowered
// by what the provider has refused.

import { maxItemsOf, maxTokensOf } from "./flow/batch.ts";
import type { Slot } from "./model/batch.ts";
import type { EmbedderLimits } from "./model/embedder.ts";
import type { CallMeasure } from "./model/errors.ts";

export class CallLimits {
  #limits: EmbedderLimits;

  constructor(limits: EmbedderLimits) {
    this.#limits = limits;
  }

  get current(): EmbedderLimits {
    return this.#limits;
  }

  /**
   * The provider has refused a call of these slots for its size: from now on, half of that at most.
   *
   * @returns The new limit, where it is lower than what was known.
   */
  lower(measure: CallMeasure, slots: readonly Slot[]): number | undefined {
    const limits = this.#limits;
    const sum = (of: (slot: Slot) => number) => slots.reduce((total, slot) => total + of(slot), 0);
    const [size, known] = {
      items: () => [slots.length, maxItemsOf(limits)] as const,
      tokens: () => [sum(({ tokens }) => tokens), maxTokensOf(limits)] as const,
      bytes: () =>
        [sum(({ bytes }) => bytes), limits.maxBytes ?? Number.POSITIVE_INFINITY] as const,
    }[measure]();
    const half = Math.max(1, Math.ceil(size / 2));
    if (half >= known) return undefined;
    const name = ({ items: "maxItems", tokens: "maxTokens", bytes: "maxBytes" } as const)[measure];
    this.#limits = { ...limits, [name]: half };
    return half;
  }
}
