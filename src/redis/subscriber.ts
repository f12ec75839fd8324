// One pub/sub connection for a queue object, however many waits there are. It always holds the
// doorbell, which also keeps node-redis out of its deaf states.

import { asError, messageOf } from "../model/errors.ts";
import { connect, OwnClient, type RedisClientLike, within } from "./client.ts";
import type { Connection } from "./connection.ts";
import { classify, redisError } from "./failures.ts";

/** Channels in one SUBSCRIBE: while a large one is under way, messages for its first channels are dropped. */
const PAGE = 1000;
/** How often the subscriber shows that it still hears; node-redis does not notice a half-open socket. */
const WATCHDOG_INTERVAL_MS = 15_000;
const WATCHDOG_TIMEOUT_MS = 5_000;

export interface SubscriberHooks {
  readonly onMessage: (message: string, channel: string) => void;
  /** These channels are heard from now on; what was written before must be looked up. */
  readonly onLive: (channels: readonly string[]) => void;
  /** Redis refuses to let this user hear a channel. */
  readonly onRefused: (error: Error) => void;
  readonly onLost: (error: Error) => void;
  /** Connected again, all channels live; messages in between are lost. */
  readonly onRestored: () => void;
}

/**
 * Keeps the set of channels that are wanted and the set that Redis knows of in step.
 *
 * Only one SUBSCRIBE or UNSUBSCRIBE is under way at a time and always with the same listener:
 * with two of them crossing, node-redis 4.7 can resolve a subscribe that the server does not hold.
 */
export class Subscriber {
  readonly #own: OwnClient;
  readonly #doorbell: string;
  readonly #hooks: SubscriberHooks;
  /** The client that has subscribed to the doorbell; a new one has not yet. */
  #hearing: RedisClientLike | undefined;
  /** Written by want() and release(); read by the reconciler. */
  readonly #wanted = new Set<string>();
  /** What the server holds. Written by the reconciler only. */
  readonly #live = new Set<string>();
  /** Wanted and not live, live and not wanted: the reconciler's work. */
  readonly #missing = new Set<string>();
  readonly #surplus = new Set<string>();
  readonly #watchdog: ReturnType<typeof setInterval>;
  #isReconciling = false;
  #isClosed = false;

  private constructor(client: RedisClientLike, doorbell: string, hooks: SubscriberHooks) {
    this.#doorbell = doorbell;
    this.#hooks = hooks;
    this.#own = new OwnClient(
      client,
      { onLost: hooks.onLost, onRestored: () => this.#onReady() },
      WATCHDOG_INTERVAL_MS,
    );
    this.#watchdog = setInterval(() => void this.#checkHearing(), WATCHDOG_INTERVAL_MS);
  }

  /** Connects and subscribes to the doorbell. */
  static async open(
    connection: Connection,
    doorbell: string,
    timeoutMs: number,
    hooks: SubscriberHooks,
  ): Promise<Subscriber> {
    const client = connection.subscriberClient();
    const subscriber = new Subscriber(client, doorbell, hooks);
    try {
      await connect(client, timeoutMs);
      await within(subscriber.#hearDoorbell(), timeoutMs, "Redis gave no answer in time");
    } catch (error) {
      await subscriber.close();
      throw redisError("subscribe to the doorbell", error);
    }
    return subscriber;
  }

  /** Asks for a channel; true where it is live already, otherwise `onLive` tells. */
  want(channel: string): boolean {
    this.#wanted.add(channel);
    this.#surplus.delete(channel);
    if (this.#live.has(channel)) return true;
    this.#missing.add(channel);
    this.#reconcile();
    return false;
  }

  release(channel: string): void {
    if (!this.#wanted.delete(channel)) return;
    this.#missing.delete(channel);
    if (this.#live.has(channel)) this.#surplus.add(channel);
    this.#reconcile();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#watchdog);
    await this.#own.close();
  }

  readonly #listener = (message: string, channel: string): void => {
    this.#hooks.onMessage(message, channel);
  };

  #reconcile(): void {
    if (this.#isReconciling || !this.#hasWork()) return;
    this.#isReconciling = true;
    // After this turn, so that a burst of waits goes out in one SUBSCRIBE.
    queueMicrotask(() => {
      this.#runReconciler().then(
        () => {
          this.#isReconciling = false;
          // Asked for after the last look at the sets and before this line.
          this.#reconcile();
        },
        (error: unknown) => {
          this.#isReconciling = false;
          this.#hooks.onRefused(asError(error));
        },
      );
    });
  }

  /** Never while the socket is down: a subscribe made then can leave a deaf client behind. */
  #hasWork(): boolean {
    const isDue = this.#missing.size > 0 || this.#surplus.size > 0;
    return isDue && !this.#isClosed && this.#own.current.isReady;
  }

  async #runReconciler(): Promise<void> {
    while (this.#hasWork()) {
      const joins = this.#missing.size > 0;
      const page = firstOf(joins ? this.#missing : this.#surplus);
      try {
        if (joins) await this.#own.current.subscribe(page, this.#listener);
        else await this.#own.current.unsubscribe(page, this.#listener);
      } catch (error) {
        // The socket broke under way: the next 'ready' goes on from the sets.
        if (classify(error) === "passing" && !this.#own.current.isReady) return;
        throw error;
      }
      for (const channel of page) this.#note(channel, joins);
      if (joins) this.#hooks.onLive(page.filter((channel) => this.#wanted.has(channel)));
    }
  }

  /** The server's answer, compared with what is wanted by now. */
  #note(channel: string, isLive: boolean): void {
    const isWanted = this.#wanted.has(channel);
    if (isLive) {
      this.#live.add(channel);
      this.#missing.delete(channel);
      if (!isWanted) this.#surplus.add(channel);
    } else {
      this.#live.delete(channel);
      this.#surplus.delete(channel);
      if (isWanted) this.#missing.add(channel);
    }
  }

  async #hearDoorbell(): Promise<void> {
    const client = this.#own.current;
    await client.subscribe([this.#doorbell], this.#listener);
    this.#hearing = client;
  }

  /** Connected again. node-redis has subscribed anew by itself, unless the client is a new one. */
  #onReady(): void {
    if (this.#own.current === this.#hearing) {
      this.#onHearing();
      return;
    }
    for (const channel of this.#live) this.#missing.add(channel);
    for (const channel of this.#surplus) this.#missing.delete(channel);
    this.#live.clear();
    this.#surplus.clear();
    this.#hearDoorbell().then(
      () => this.#onHearing(),
      // Broken again, or refused: the watchdog finds a client that hears no doorbell.
      (error: unknown) => this.#hooks.onLost(asError(error)),
    );
  }

  #onHearing(): void {
    if (this.#isClosed) return;
    this.#hooks.onRestored();
    this.#reconcile();
  }

  async #checkHearing(): Promise<void> {
    const client = this.#own.current;
    try {
      if (!client.isReady || client !== this.#hearing) throw new Error("it is not connected");
      await within(client.ping(), WATCHDOG_TIMEOUT_MS, "Redis gave no answer in time");
    } catch (error) {
      // Also where node-redis is about to reconnect: a second attempt beside it does no harm.
      this.#own.replace(new Error(`The subscriber hears nothing: ${messageOf(error)}`));
    }
  }
}

function firstOf(channels: ReadonlySet<string>): string[] {
  const page: string[] = [];
  for (const channel of channels) {
    page.push(channel);
    if (page.length === PAGE) break;
  }
  return page;
}
