// Before a provider call: its share of the rate budget that all processes of an account have together.

import type { Budget } from "../model/budget.ts";
import type { EmbedderLimits } from "../model/embedder.ts";
import { delay } from "../model/lifecycle.ts";
import { isCount } from "../model/usage.ts";
import type { Link } from "../redis/link.ts";
import {
  type BudgetUse,
  type BudgetWindow,
  budgetKey,
  DAY_MS,
  runReserveBudget,
  runSettleBudget,
} from "../redis/scripts/budget.ts";

const MINUTE_MS = 60_000;
/** At the latest after this long it is asked again. */
const MAX_WAIT_MS = 30_000;
/** More than any call can be worth. */
const MOST = 1e12;
/** The most that the provider may count for one estimated token; some fill short texts up to a fixed length. */
const MAX_RATIO = 10_000;
/** How much the past counts beside the newest report: after three calls, an eighth. */
const PAST_WEIGHT = 0.5;

/** The share of one call. */
export interface Reservation {
  /** The call was made and is over, by now; the tokens that it was worth, where the provider says. */
  settle(tokens: number | undefined): Promise<void>;
  /** The call was not made. */
  release(): Promise<void>;
}

/**
 * How many tokens the provider counts for each that is estimated, by what it reported lately. Large
 * calls count more than small ones: their error is what a budget feels.
 *
 * Never below 1. What is reserved above need comes back with the report, but what is reserved below it
 * is asked too much of the provider, as soon as longer words or another language follow.
 */
class TokenRatio {
  #estimated = 0;
  #reported = 0;

  get current(): number {
    return this.#estimated === 0 ? 1 : Math.max(1, this.#reported / this.#estimated);
  }

  note(estimated: number, reported: number): void {
    // An absurd report is to be outweighed by a few good ones.
    const plausible = Math.min(reported, MAX_RATIO * estimated);
    this.#estimated = PAST_WEIGHT * this.#estimated + estimated;
    this.#reported = PAST_WEIGHT * this.#reported + plausible;
  }
}

export class RateBudget {
  readonly account: string;
  readonly #link: Link;
  readonly #key: string;
  readonly #costPerItem: number;
  /** Both, also where nothing limits one of them here: others of the account may have a limit for it. */
  readonly #windows: readonly BudgetWindow[];
  readonly #ratio = new TokenRatio();
  /** How long a call may take: until then a reservation stands although nobody settles it. */
  readonly #holdMs: number;

  /** @param account Where the budget names none. */
  constructor(link: Link, budget: Budget, account: string, costPerItem: number, holdMs: number) {
    this.#link = link;
    this.account = budget.account ?? account;
    this.#key = budgetKey(this.account);
    this.#costPerItem = budget.costPerItem ?? costPerItem;
    this.#holdMs = holdMs;
    this.#windows = [
      {
        windowMs: budget.windowMs ?? MINUTE_MS,
        requests: budget.requestsPerMinute,
        tokens: budget.tokensPerMinute,
      },
      { windowMs: DAY_MS, requests: budget.requestsPerDay, tokens: budget.tokensPerDay },
    ];
  }

  /** Limits under which one call fits into the budget at all. */
  capTo(limits: EmbedderLimits): EmbedderLimits {
    const least = (of: (window: BudgetWindow) => number | undefined) =>
      Math.min(...this.#windows.map((window) => of(window) ?? Number.POSITIVE_INFINITY));
    const tokens = Math.min(
      least((window) => window.tokens),
      limits.maxTokens ?? Number.POSITIVE_INFINITY,
    );
    const items =
      this.#costPerItem === 0
        ? Number.POSITIVE_INFINITY
        : Math.max(1, Math.floor(least((window) => window.requests) / this.#costPerItem));
    return {
      ...limits,
      ...(Number.isFinite(tokens) && { maxTokens: tokens }),
      ...(Number.isFinite(items) && items < (limits.maxItems ?? items + 1) && { maxItems: items }),
    };
  }

  /**
   * Waits until a call of this size fits. Undefined where the signal is raised before.
   *
   * @param onWait Told once, before the first wait, for how long nothing will fit.
   */
  async reserve(
    size: { readonly items: number; readonly tokens: number },
    signal: AbortSignal,
    onWait: (waitMs: number) => void,
  ): Promise<Reservation | undefined> {
    const requests = Math.min(MOST, this.#requestsOf(size.items));
    const estimated = Math.max(1, size.tokens);
    for (let waits = 0; ; waits++) {
      if (signal.aborted) return undefined;
      // Calls that end meanwhile teach it.
      const tokens = Math.ceil(Math.min(MOST, estimated * this.#ratio.current));
      const use = { requests, tokens };
      const reply = await runReserveBudget(this.#link, this.#key, use, this.#holdMs, this.#windows);
      if ("at" in reply) return this.#reservation(reply.at, use, estimated);
      if (waits === 0) onWait(reply.waitMs);
      // Others may give back what they did not use, and Redis may lose what it counted.
      if (!(await delay(Math.min(reply.waitMs, MAX_WAIT_MS), signal))) return undefined;
    }
  }

  #requestsOf(items: number): number {
    return this.#costPerItem === 0 ? 1 : items * this.#costPerItem;
  }

  #reservation(at: string, reserved: BudgetUse, estimated: number): Reservation {
    const settle = (used: BudgetUse) =>
      runSettleBudget(this.#link, this.#key, at, reserved, used, this.#windows);
    return {
      settle: (tokens) => {
        if (!isCount(tokens)) return settle(reserved);
        this.#ratio.note(estimated, tokens);
        return settle({ ...reserved, tokens: Math.ceil(tokens) });
      },
      release: () => settle({ requests: 0, tokens: 0 }),
    };
  }
}
