// What the worker does about the provider's state: which pause begins after a failure, and what ends it.

import { endCooldown, returnProbe, startCooldown } from "./flow/cooldown.ts";
import type { Trouble } from "./model/trouble.ts";
import type { Pauses } from "./pauses.ts";
import type { Session } from "./session.ts";

export class Provider {
  readonly #session: Session;
  readonly #pauses: Pauses;

  constructor(session: Session, pauses: Pauses) {
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
