// Keeps a worker's leases: renews them well before they run out, from before the first wait on.

import type { Leases } from "./flow/claim.ts";

/** So that two renewals may fail before a lease runs out. */
const RENEWALS_PER_LEASE = 3;

export class Renewal {
  readonly #leases: Leases;
  readonly #onFailure: (error: unknown) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isStopped = false;

  constructor(leases: Leases, onFailure: (error: unknown) => void) {
    this.#leases = leases;
    this.#onFailure = onFailure;
  }

  /** The time between two renewals, in milliseconds. */
  get everyMs(): number {
    return this.#leases.leaseMs / RENEWALS_PER_LEASE;
  }

  start(): void {
    clearTimeout(this.#timer);
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => this.now(), this.everyMs);
  }

  /** Renews at once; the next renewal counts from its end. */
  now(): void {
    this.#leases
      .renew()
      .catch(this.#onFailure)
      .finally(() => this.start());
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }
}
