// Texts that are enqueued and not settled yet: how many, and what became of the others. Holds no more
// than it is let: who adds waits for room before.

import type { EmbeddingQueue, Outcome, QueueStats, Ticket } from "../index.ts";
import { CommandError } from "./errors.ts";
import { countedNoun } from "./format.ts";
import type { Output } from "./output.ts";

/** How long nothing is settled before it is looked why, and how often it is looked again. */
const LOOK_AFTER_MS = 3000;
const LOOK_EVERY_MS = 10_000;
/** The longest pause between two looks at the clock. */
const TICK_MS = 250;

export type OutcomeCounts = Record<Outcome["status"], number>;

export interface OutstandingOptions {
  readonly queue: EmbeddingQueue;
  readonly out: Output;
  readonly signal: AbortSignal;
  /** How long in all; undefined for as long as it takes. */
  readonly timeoutMs: number | undefined;
}

export class Outstanding {
  readonly counts: OutcomeCounts = { embedded: 0, blank: 0, dead: 0, gone: 0 };
  readonly #options: OutstandingOptions;
  readonly #endsAt: number;
  #open = 0;
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;
  #changedAt: number = performance.now();
  #said: string | undefined;

  constructor(options: OutstandingOptions) {
    this.#options = options;
    this.#endsAt = performance.now() + (options.timeoutMs ?? Number.POSITIVE_INFINITY);
  }

  /** How many are not settled. */
  get open(): number {
    return this.#open;
  }

  /** How many are. */
  get settled(): number {
    const { embedded, blank, dead, gone } = this.counts;
    return embedded + blank + dead + gone;
  }

  add(tickets: readonly Ticket[]): void {
    this.#open += tickets.length;
    for (const ticket of tickets) {
      ticket.outcome().then(
        ({ status }) => {
          this.#open--;
          this.counts[status]++;
          this.#changedAt = performance.now();
          this.#wake?.();
        },
        (error: unknown) => {
          this.#failure ??= { error };
          this.#wake?.();
        },
      );
    }
  }

  /**
   * Resolves when no more than so many are open.
   *
   * @param onChange Called when something was settled, and now and then.
   * @throws {CommandError} When the time is over.
   */
  async atMost(count: number, onChange?: () => void): Promise<void> {
    const { signal, timeoutMs } = this.#options;
    let lookedAt = performance.now();
    this.#changedAt = lookedAt;
    while (this.#open > count) {
      signal.throwIfAborted();
      if (this.#failure !== undefined) throw this.#failure.error;
      const now = performance.now();
      if (now > this.#endsAt) throw timeoutError(this.#open, timeoutMs ?? 0);
      const quietMs = now - Math.max(this.#changedAt, lookedAt);
      if (quietMs > (this.#said === undefined ? LOOK_AFTER_MS : LOOK_EVERY_MS)) {
        await this.#sayWhy();
        lookedAt = performance.now();
      }
      await this.#tick(Math.min(TICK_MS, Math.max(1, this.#endsAt - now)));
      onChange?.();
    }
  }

  #tick(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#wake = done;
    });
  }

  /** Once for each reason. */
  async #sayWhy(): Promise<void> {
    const { queue, out } = this.#options;
    const words = reasonFor(await queue.stats());
    if (words !== undefined && words !== this.#said) out.note(words);
    this.#said = words ?? "";
  }
}

/** Why nothing is settled, as far as anybody can see. */
function reasonFor({ isPaused, workers }: QueueStats): string | undefined {
  if (isPaused) return "The queue is paused: embedq resume lets workers go on";
  if (workers.length === 0)
    return "No worker runs on this queue: embedq work or embedq drain is one";
  return undefined;
}

function timeoutError(open: number, timeoutMs: number): CommandError {
  const message = `${countedNoun(open, "text")} not settled within ${timeoutMs / 1000} s; they stay queued`;
  return new CommandError(message, { hint: "does a worker run? embedq stats shows it" });
}
