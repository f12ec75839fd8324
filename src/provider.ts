// A worker's provider: how much it may be asked for, and what is done about its state: which pause
// begins after a failure, and what ends it.

import { RateBudget } from "./flow/budget.ts";
import { endCooldown, returnProbe, startCooldown } from "./flow/cooldown.ts";
import { CallLimits } from "./limits.ts";
import type { Embedder } from "./model/embedder.ts";
import { Evidence } from "./model/evidence.ts";
import type { VectorSpace } from "./model/settings.ts";
import type { Trouble } from "./model/trouble.ts";
import type { Pauses } from "./pauses.ts";
import type { Session } from "./session.ts";
import { VectorCache } from "./vector-cache.ts";

export class Provider {
  readonly embedder: Embedder;
  readonly space: VectorSpace;
  readonly limits: CallLimits;
  /** What this worker has seen of it. */
  readonly evidence: Evidence = new Evidence();
  readonly budget: RateBudget | undefined;
  readonly cache: VectorCache | undefined;
  /** Calls that may be under way at once. */
  readonly concurrency: number;
  readonly #session: Session;
  readonly #pauses: Pauses;

  constructor(session: Session, embedder: Embedder, pauses: Pauses) {
    const { link, options } = session;
    const { model, dimensions, task = "", limits = {}, account = link.keys.name } = embedder;
    const { budget, cache, embedTimeoutMs, concurrency } = options;
    this.concurrency = Math.min(concurrency, limits.maxConcurrentCalls ?? concurrency);
    this.embedder = embedder;
    this.space = { model, dimensions, task };
    if (budget !== undefined) {
      this.budget = new RateBudget(link, budget, account, limits.costPerItem ?? 0, embedTimeoutMs);
    }
    if (cache !== undefined) {
      const stage = { link, space: this.space, ttlMs: cache.ttlMs };
      this.cache = new VectorCache(stage, session.events);
    }
    this.limits = new CallLimits(limits, this.budget?.capTo(limits));
    this.#session = session;
    this.#pauses = pauses;
  }

  /**
   * The provider is away, or this worker may not call it: the worker's own fault pauses this worker,
   * everything else all of them. Ends when the pause is in force, with the length of a shared one.
   */
  async onOutage(trouble: Trouble, isProbe: boolean): Promise<number> {
    const { kind, scope, error, retryAfterMs } = trouble;
    const { link, options, events } = this.#session;
    if (kind === "fatal" && scope === "worker") {
      this.#pauses.pauseOwn(error, retryAfterMs);
      if (isProbe) await returnProbe(link);
      return 0;
    }
    const pauseMs = await startCooldown(link, trouble, options.cooldown, isProbe);
    this.#pauses.share(pauseMs);
    events.emit("cooldown:started", { pauseMs, error });
    return pauseMs;
  }

  /** The provider answered, be it with a refusal. */
  async onReached(isProbe: boolean): Promise<void> {
    this.#pauses.resume();
    if (!isProbe) return;
    this.#pauses.endShared();
    if (await endCooldown(this.#session.link)) this.#session.events.emit("cooldown:ended", {});
  }

  /** No call was made that could tell whether the provider is back: another worker may try. */
  returnProbe(): Promise<void> {
    return returnProbe(this.#session.link);
  }
}
