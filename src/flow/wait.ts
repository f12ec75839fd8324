// Completion: a ticket becomes an outcome. Subscribe, then look, then wait. The destination is looked at
// beside the queue's state, and again after it before a text is called gone: one that is written and
// settled between the two looks would seem to be known to nobody.

import { asError, EmbedqError } from "../model/errors.ts";
import { type Outcome, outcomeOf, type StoredResult } from "../model/outcome.ts";
import { keyspaceChannel } from "../redis/keys.ts";
import type { Link } from "../redis/link.ts";
import { type DestinationFields, readDestinations } from "../redis/scripts/destination.ts";
import { runStatus } from "../redis/scripts/state.ts";

/** Keys looked at in one go: a vector of 1,536 numbers is 6 KiB. */
const PAGE = 128;
/** The longest that a timer of JavaScript can be, 24 days; a longer limit is none. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** How often the truth is read again where events are heard: they are hints, and can be lost. */
const RECHECK_MS = 30_000;
/** The same where no events can be had. */
const RECHECK_WITHOUT_EVENTS_MS = 500;

export interface WaitStage {
  readonly link: Link;
  readonly database: number;
  /** Undefined where nobody has named a model yet. */
  dimensions(): number | undefined;
  fields(): DestinationFields;
  /** Asks to hear a channel; true if it is heard already. */
  want(channel: string): boolean;
  release(channel: string): void;
  /** A look at Redis failed; it is repeated. */
  onFailure(error: Error): void;
}

/** How long somebody waits. */
export interface WaitOptions {
  /** Give up after this long, in milliseconds. The text stays queued. @default no limit */
  readonly timeoutMs?: number | undefined;
  /** Give up when raised. The text stays queued. */
  readonly signal?: AbortSignal | undefined;
}

interface Waiter {
  readonly version: number;
  resolve(outcome: Outcome): void;
  reject(error: Error): void;
}

/** All waits of one queue object, by destination key. Every wait ends by state, never by memory of a message. */
export class Waits {
  readonly #stage: WaitStage;
  readonly #waiters = new Map<string, Set<Waiter>>();
  /** Keys to look at; true where the queue's state must be read too. Written by whoever heard something. */
  #toCheck = new Map<string, boolean>();
  #isChecking = false;
  #timer: ReturnType<typeof setInterval> | undefined;
  #hearsEvents = true;
  #closedWith: Error | undefined;

  constructor(stage: WaitStage) {
    this.#stage = stage;
  }

  get size(): number {
    return this.#waiters.size;
  }

  /** Without events the truth is read often, with them only as a safety net. */
  set hearsEvents(hears: boolean) {
    if (hears === this.#hearsEvents) return;
    this.#hearsEvents = hears;
    this.#restartTimer();
    for (const key of this.#waiters.keys()) this.#listen(key);
  }

  /** Waits for the outcome of one ticket. */
  wait(key: string, version: number, { timeoutMs, signal }: WaitOptions): Promise<Outcome> {
    const limitMs = timeoutMs ?? Number.POSITIVE_INFINITY;
    return new Promise((resolve, reject) => {
      if (this.#closedWith !== undefined) return reject(this.#closedWith);
      if (signal?.aborted) return reject(asError(signal.reason));
      const finish = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
        this.#remove(key, waiter);
      };
      const waiter: Waiter = {
        version,
        resolve: (outcome) => {
          finish();
          resolve(outcome);
        },
        reject: (error) => {
          finish();
          reject(error);
        },
      };
      const onAbort = () => waiter.reject(asError(signal?.reason));
      const timer =
        limitMs > MAX_TIMER_MS
          ? undefined
          : setTimeout(() => waiter.reject(timeoutError(key, version, limitMs)), limitMs);
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#add(key, waiter);
    });
  }

  /** These channels are heard from now on: what happened before must be looked up. */
  onLive(channels: readonly string[]): void {
    for (const channel of channels) this.#check(this.#keyOf(channel), true);
  }

  /** A destination was written: it alone can end the wait, but not say that the work is gone. */
  onWritten(channel: string): void {
    this.#check(this.#keyOf(channel), false);
  }

  /** A key's work is gone, somebody says. */
  onGone(key: string): void {
    this.#check(key, true);
  }

  /** Reads the truth for everything that is waited for. */
  recheckAll(): void {
    for (const key of this.#waiters.keys()) this.#check(key, true);
  }

  /** Ends every wait, and every later one, with the error. */
  close(error: Error): void {
    this.#closedWith = error;
    for (const waiters of [...this.#waiters.values()]) {
      for (const waiter of [...waiters]) waiter.reject(error);
    }
  }

  #add(key: string, waiter: Waiter): void {
    const waiters = this.#waiters.get(key);
    if (waiters === undefined) this.#waiters.set(key, new Set([waiter]));
    else waiters.add(waiter);
    if (this.#timer === undefined) this.#restartTimer();
    this.#listen(key);
  }

  /** Subscribes, then looks: where the channel is not heard yet, onLive makes the look. */
  #listen(key: string): void {
    if (!this.#hearsEvents || this.#stage.want(this.#channelOf(key))) this.#check(key, true);
  }

  #remove(key: string, waiter: Waiter): void {
    const waiters = this.#waiters.get(key);
    if (!waiters?.delete(waiter) || waiters.size > 0) return;
    this.#waiters.delete(key);
    this.#stage.release(this.#channelOf(key));
    if (this.#waiters.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }

  #check(key: string, withQueue: boolean): void {
    if (!this.#waiters.has(key)) return;
    this.#toCheck.set(key, withQueue || this.#toCheck.get(key) === true);
    this.#startChecks();
  }

  #startChecks(): void {
    if (this.#isChecking) return;
    this.#isChecking = true;
    // After this turn, so that events that arrive together are looked up together.
    queueMicrotask(() => {
      void this.#runChecks().finally(() => {
        this.#isChecking = false;
        // Asked for after the last look at the list and before this line.
        if (this.#toCheck.size > 0) this.#startChecks();
      });
    });
  }

  async #runChecks(): Promise<void> {
    while (this.#toCheck.size > 0) {
      const checks = [...this.#toCheck];
      this.#toCheck = new Map();
      for (let at = 0; at < checks.length; at += PAGE) {
        const page = checks.slice(at, at + PAGE).filter(([key]) => this.#waiters.has(key));
        if (page.length === 0) continue;
        try {
          await this.#checkSplitting(page);
        } catch (error) {
          if (this.#closedWith !== undefined) return;
          this.#stage.onFailure(asError(error));
          this.#retryLater(checks.slice(at));
          return;
        }
      }
    }
  }

  /** One key that this user may not read makes Redis refuse them all: it is found, and its waits end. */
  async #checkSplitting(page: readonly (readonly [string, boolean])[]): Promise<void> {
    try {
      await this.#checkPage(page);
    } catch (error) {
      const isRefused = error instanceof EmbedqError && error.code === "ERR_REDIS_REPLY";
      if (!isRefused) throw error;
      const [[key] = [""]] = page;
      if (page.length === 1) {
        for (const waiter of [...(this.#waiters.get(key) ?? [])]) waiter.reject(error);
        return;
      }
      const middle = Math.ceil(page.length / 2);
      await this.#checkSplitting(page.slice(0, middle));
      await this.#checkSplitting(page.slice(middle));
    }
  }

  /** Redis is away: the connection that comes back asks anew, and so does this. */
  #retryLater(checks: readonly (readonly [string, boolean])[]): void {
    setTimeout(() => {
      for (const [key] of checks) this.#check(key, true);
    }, RECHECK_WITHOUT_EVENTS_MS);
  }

  async #checkPage(page: readonly (readonly [string, boolean])[]): Promise<void> {
    const { link } = this.#stage;
    const keys = page.map(([key]) => key);
    const asked = page.filter(([, withQueue]) => withQueue).map(([key]) => key);
    const status = asked.length > 0 ? runStatus(link, asked) : [];
    const [versions] = await Promise.all([status, this.#look(keys)]);
    const outstanding = new Map(asked.map((key, i) => [key, versions[i] ?? 0]));
    // Only a look that came after the answer of the queue can say that nothing will be stored.
    const gone = asked.filter((key) => {
      return this.#waiters.has(key) && (outstanding.get(key) ?? 0) < this.#smallestVersion(key);
    });
    if (gone.length > 0) await this.#look(gone, outstanding);
  }

  /** @param outstanding The versions that the queue had before, 0 for none; left out where it was not asked. */
  async #look(keys: readonly string[], outstanding?: ReadonlyMap<string, number>): Promise<void> {
    const wanted = keys.map((key) => ({ key, version: this.#smallestVersion(key) }));
    const stored = await readDestinations(this.#stage.link, this.#stage.fields(), wanted);
    for (const [i, { key, version }] of wanted.entries()) {
      this.#settle(key, version, stored[i] as StoredResult, outstanding?.get(key));
    }
  }

  #smallestVersion(key: string): number {
    let smallest = Number.MAX_SAFE_INTEGER;
    for (const { version } of this.#waiters.get(key) ?? []) smallest = Math.min(smallest, version);
    return smallest;
  }

  /**
   * @param from The version from which on the destination was read: who waits for an older one came
   *   after that, and will be looked up by itself.
   */
  #settle(key: string, from: number, stored: StoredResult, outstanding: number | undefined): void {
    for (const waiter of [...(this.#waiters.get(key) ?? [])]) {
      if (waiter.version < from) continue;
      if (stored.version >= waiter.version) {
        try {
          waiter.resolve(outcomeOf(key, waiter.version, stored, this.#stage.dimensions()));
        } catch (error) {
          waiter.reject(asError(error));
        }
      } else if (outstanding !== undefined && outstanding < waiter.version) {
        waiter.resolve({ status: "gone", key });
      }
    }
  }

  #restartTimer(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    if (this.#waiters.size === 0) return;
    const everyMs = this.#hearsEvents ? RECHECK_MS : RECHECK_WITHOUT_EVENTS_MS;
    this.#timer = setInterval(() => this.recheckAll(), everyMs);
  }

  #channelOf(key: string): string {
    return keyspaceChannel(this.#stage.database, key);
  }

  #keyOf(channel: string): string {
    return channel.slice(this.#channelOf("").length);
  }
}

function timeoutError(key: string, version: number, timeoutMs: number): EmbedqError {
  return new EmbedqError(
    "ERR_WAIT_TIMEOUT",
    `Cannot give the outcome of ${JSON.stringify(key)} at version ${version} as it took longer than timeoutMs: ${timeoutMs} ms; the text stays queued`,
  );
}
