// Before a provider call: its share of the rate budget that all processes of an account have together.

import type { Budget } from "../model/budget.ts";
import type { EmbedderLimits } from "../model/embedder.ts";
import { delay } from "../model/lifecycle.ts";
import type { Link } from "../redis/link.ts";
import {
  type BudgetUse,
  type BudgetWindow,
  budgetKey,
  runReserveBudget,
  runSettleBudget,
} from "../redis/scripts/budget.ts";

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
/** At the latest after this long it is asked again. */
const MAX_WAIT_MS = 30_000;

/** The share of one call. */
export interface Reservation {
  /** The call was made and is over, by now; the tokens that it was worth, where the provider says. */
  settle(tokens: number | undefined): Promise<void>;
  /** The call was not made. */
  release(): Promise<void>;
}

export class RateBudget {
  readonly account: string;
  readonly #link: Link;
  readonly #key: string;
  readonly #costPerItem: number;
  readonly #windows: readonly BudgetWindow[];
  /** How long a call may take: until then a reservation stands although nobody settles it. */
  readonly #holdMs: number;

  /** @param account Where the budget names none. */
  constructor(link: Link, budget: Budget, account: string, costPerItem: number, holdMs: number) {
    this.#link = link;
    this.account = budget.account ?? account;
    this.#key = budgetKey(this.account);
    this.#costPerItem = budget.costPerItem ?? costPerItem;
    this.#holdMs = holdMs;
    const windows: BudgetWindow[] = [
      {
        windowMs: budget.windowMs ?? MINUTE_MS,
        requests: budget.requestsPerMinute,
        tokens: budget.tokensPerMinute,
      },
      { windowMs: DAY_MS, requests: budget.requestsPerDay, tokens: budget.tokensPerDay },
    ];
    this.#windows = windows.filter(
      ({ requests, tokens }) => requests !== undefined || tokens !== undefined,
    );
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
   * @param onWait Told before each wait for how long nothing will fit.
   */
  async reserve(
    size: { readonly items: number; readonly tokens: number },
    signal: AbortSignal,
    onWait: (waitMs: number) => void,
  ): Promise<Reservation | undefined> {
    const use = { requests: this.#requestsOf(size.items), tokens: Math.ceil(size.tokens) };
    for (;;) {
      if (signal.aborted) return undefined;
      const reply = await runReserveBudget(this.#link, this.#key, use, this.#holdMs, this.#windows);
      if ("at" in reply) return this.#reservation(reply.at, use);
      onWait(reply.waitMs);
      // Others may give back what they did not use, and Redis may lose what it counted.
      if (!(await delay(Math.min(reply.waitMs, MAX_WAIT_MS), signal))) return undefined;
    }
  }

  #requestsOf(items: number): number {
    return this.#costPerItem === 0 ? 1 : items * this.#costPerItem;
  }

  #reservation(at: string, reserved: BudgetUse): Reservation {
    const settle = (used: BudgetUse) =>
      runSettleBudget(this.#link, this.#key, at, reserved, used, this.#windows);
    return {
      settle: (tokens) =>
        settle({ ...reserved, tokens: tokens === undefined ? reserved.tokens : Math.ceil(tokens) }),
      release: () => settle({ requests: 0, tokens: 0 }),
    };
  }
}
