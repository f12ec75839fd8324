// How much one provider call may carry, as this worker knows it: what the embedder states, lowered
// by its budget and by what the provider has refused.

import { fillOf, maxItemsOf, maxTokensOf } from "./flow/batch.ts";
import type { Slot } from "./model/batch.ts";
import type { EmbedderLimits } from "./model/embedder.ts";
import type { CallMeasure } from "./model/errors.ts";

/** Calls that must pass under a lowered limit before twice as much is tried; twice as many after each trial that fails. */
const TRIAL_AFTER = 100;

/** Calls that fill less of the limit prove nothing. */
const PROVING_FILL = 0.75;

const NAMES = { items: "maxItems", tokens: "maxTokens", bytes: "maxBytes" } as const;

export class CallLimits {
  /** What the embedder says of itself. */
  readonly stated: EmbedderLimits;
  readonly #highest: EmbedderLimits;
  #limits: EmbedderLimits;
  #passed = 0;
  #trialAfter = TRIAL_AFTER;
  #isOnTrial = false;

  /** @param highest The stated limits, lowered by what a budget allows in one call. */
  constructor(stated: EmbedderLimits, highest: EmbedderLimits = stated) {
    this.stated = stated;
    this.#highest = highest;
    this.#limits = highest;
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
    if (this.#isOnTrial) this.#trialAfter *= 2;
    this.#isOnTrial = false;
    this.#passed = 0;
    this.#limits = { ...limits, [NAMES[measure]]: half };
    return half;
  }

  /** A call of these slots has passed. After many such, what was lowered is doubled: the provider may have been short of memory for a moment. */
  passed(slots: readonly Slot[]): void {
    if (this.#limits === this.#highest || fillOf(slots, this.#limits) < PROVING_FILL) return;
    if (++this.#passed < this.#trialAfter) return;
    this.#passed = 0;
    this.#isOnTrial = true;
    const raised = { ...this.#limits };
    let isLowered = false;
    for (const name of Object.values(NAMES)) {
      const now = this.#limits[name];
      const highest = name === "maxItems" ? maxItemsOf(this.#highest) : this.#highest[name];
      if (now === highest || now === undefined) continue;
      raised[name] = 2 * now < (highest ?? Number.POSITIVE_INFINITY) ? 2 * now : highest;
      isLowered ||= raised[name] !== highest;
    }
    this.#limits = isLowered ? raised : this.#highest;
  }
}
