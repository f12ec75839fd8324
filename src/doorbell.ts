// What a worker does when the doorbell rings, and when a lost connection is back.

import type { Agenda } from "./agenda.ts";
import type { Leases } from "./flow/claim.ts";
import type { Pauses } from "./pauses.ts";
import type { Renewal } from "./renewal.ts";
import type { Session } from "./session.ts";
import type { Sleeper } from "./sleeper.ts";

/** The parts of the worker that a ring concerns. */
export interface DoorbellContext {
  readonly session: Session;
  readonly leases: Leases;
  readonly pauses: Pauses;
  readonly sleeper: Sleeper;
  readonly renewal: Renewal;
  readonly agenda: Agenda;
  report(action: string, error: unknown): void;
}

export class Doorbell {
  readonly #context: DoorbellContext;
  readonly #unhook: (() => void)[] = [];

  constructor(context: DoorbellContext) {
    this.#context = context;
  }

  listen(): void {
    const { session } = this.#context;
    this.#unhook.push(
      session.onRing((word, detail) => this.#hear(word, detail)),
      session.onRestored(() => this.#onRestored()),
    );
  }

  close(): void {
    for (const unhook of this.#unhook) unhook();
  }

  #hear(word: string, detail: string): void {
    const { sleeper, pauses } = this.#context;
    if (word === "due" || word === "timer" || word === "settings") sleeper.ring();
    else if (word === "taken") sleeper.taken();
    else if (word === "cooldown") pauses.share(Number(detail));
    // A shared pause ends with a claim that gives work: until then only the probe may call.
    else if (word === "resumed") pauses.endOwn();
    if (word === "settings") this.#adoptLease();
  }

  /** The lease may be shorter now than the time to the next renewal. */
  #adoptLease(): void {
    const { session, leases, renewal, report } = this.#context;
    renewal.now();
    session
      .refresh()
      .then(() => {
        leases.leaseMs = session.settings.leaseMs;
        renewal.now();
      })
      .catch((error: unknown) => report("refresh", error));
  }

  /** While Redis was away, idle times ran on: renew before looking for what others abandoned. */
  #onRestored(): void {
    const { agenda, renewal, sleeper } = this.#context;
    agenda.holdOff(renewal.everyMs);
    renewal.now();
    sleeper.nudge();
  }
}
