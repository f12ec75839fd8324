// A worker's provider: how much it may be asked for, and what is done about its state: which pause
// begins after a failure, and what ends it.

import { RateBudget } from "./flow/budget.ts";
import { endCooldown, endPause, notePause, returnProbe, startCooldown } from "./flow/cooldown.ts";
import { CallLimits } from "./limits.ts";
import type { Embedder } from "./model/embedder.ts";
import { messageOf } from "./model/errors.ts";
import { Evidence } from "./model/evidence.ts";
import { scrub } from "./model/scrub.ts";
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
   *
   * @param texts What was sent: it is not shown in the reason.
   */
  async onOutage(trouble: Trouble, isProbe: boolean, texts: readonly string[]): Promise<number> {
    const { kind, scope, error, retryAfterMs } = trouble;
    const { link, options, events } = this.#session;
    const reason = scrub(messageOf(error), { texts });
    if (kind === "fatal" && scope === "worker") {
      const pauseMs = this.#pauses.pauseOwn(error, retryAfterMs);
      if (isProbe) await returnProbe(link);
      if (pauseMs !== undefined) await this.#tellPause(pauseMs, reason);
      return 0;
    }
    const pauseMs = await startCooldown(link, trouble, options.cooldown, isProbe, reason);
    this.#pauses.share(pauseMs);
    events.emit("cooldown:started", { pauseMs, error });
    return pauseMs;
  }

  /** The provider answered, be it with a refusal. */
  async onReached(isProbe: boolean): Promise<void> {
    const endsPause = this.#pauses.ownMs > 0;
    this.#pauses.resume();
    if (endsPause) await endPause(this.#session.link, this.#pauses.worker);
    if (!isProbe) return;
    this.#pauses.endShared();
    if (await endCooldown(this.#session.link)) this.#session.events.emit("cooldown:ended", {});
  }

  /** For those who look at the queue; the pause itself is in force without. */
  async #tellPause(pauseMs: number, reason: string): Promise<void> {
    const { worker } = this.#pauses;
    try {
      await notePause(this.#session.link, { worker, pauseMs, reason });
    } catch {
      // Redis is away, and the session says so.
    }
  }

  /** No call was made that could tell whether the provider is back: another worker may try. */
  returnProbe(): Promise<void> {
    return returnProbe(this.#session.link);
  }
}
