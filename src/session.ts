// What a queue and a worker are built on: the two connections, the settings agreed with the queue,
// the doorbell, and the waits.

import { publishDone, publishIfDone } from "./flow/done.ts";
import { configureQueue, joinQueue } from "./flow/settings.ts";
import { Waits } from "./flow/wait.ts";
import { asError } from "./model/errors.ts";
import type { EventEmitter } from "./model/events.ts";
import type { ResolvedOptions } from "./model/options.ts";
import { DEFAULT_SETTINGS, type RequestedSettings, type StoredSettings } from "./model/settings.ts";
import type { RedisClientLike, RedisClientOptions } from "./redis/client.ts";
import { Connection } from "./redis/connection.ts";

export { checkRedisOption } from "./redis/connection.ts";

import { queueKeys } from "./redis/keys.ts";
import { createLink, type Link } from "./redis/link.ts";
import { enableNotifications } from "./redis/notifications.ts";
import { type DestinationFields, destinationFields } from "./redis/scripts/destination.ts";
import { Subscriber } from "./redis/subscriber.ts";

export type { RedisClientLike, RedisClientOptions } from "./redis/client.ts";

/**
 * How Redis is reached: a URL; options of node-redis 4, which embedq connects with; or a connected client
 * of node-redis 4, 5 or 6, which stays yours: embedq sends commands through it, makes a copy of it for
 * pub/sub, and closes the copy alone. A cluster, a pool or Sentinel is refused.
 */
export type RedisOption = string | RedisClientLike | RedisClientOptions;

/** A hint on the doorbell: the word, and what follows it. */
export type RingListener = (word: string, detail: string) => void;

/** An open session; `open` makes it, `close` ends it for good. */
export class Session {
  readonly link: Link;
  readonly events: EventEmitter;
  readonly options: ResolvedOptions;
  readonly waits: Waits;
  readonly #connection: Connection;
  readonly #rings: Set<RingListener>;
  readonly #restored: Set<() => void>;
  #subscriber!: Subscriber;
  #settings: StoredSettings;
  #fields: DestinationFields;
  #notifications: Promise<void> | undefined;
  /** Events are heard only with both: without, waits look at Redis on a timer. */
  #hasNotifications: boolean;
  #isSubscribed = true;

  private constructor(
    connection: Connection,
    link: Link,
    settings: StoredSettings,
    database: number,
    options: ResolvedOptions,
    events: EventEmitter,
    restored: Set<() => void>,
  ) {
    this.#connection = connection;
    this.link = link;
    this.#settings = settings;
    this.#fields = destinationFields(settings.field);
    this.options = options;
    this.events = events;
    this.#rings = new Set();
    this.#restored = restored;
    this.waits = new Waits({
      link,
      database,
      dimensions: () => this.#settings.space?.dimensions,
      fields: () => this.#fields,
      want: (channel) => this.#subscriber.want(channel),
      release: (channel) => this.#subscriber.release(channel),
      onFailure: (error) => events.emit("connection:lost", { role: "commands", error }),
    });
    this.#hasNotifications = options.notifications !== "off";
    this.#updateWaits();
  }

  /** Connects, agrees on the settings, and listens to the doorbell. */
  static async open(
    redis: RedisOption,
    options: ResolvedOptions,
    events: EventEmitter,
  ): Promise<Session> {
    const restored = new Set<() => void>();
    const connection = await Connection.open(redis, {
      timeoutMs: options.commandTimeoutMs,
      onLost: (error) => events.emit("connection:lost", { role: "commands", error }),
      onRestored: () => {
        events.emit("connection:restored", { role: "commands" });
        for (const listener of restored) listener();
      },
    });
    try {
      const link = createLink(connection, queueKeys(options.name));
      // A process with an embedder also stores the defaults, so that a later one that asks for
      // other values is told; a mere producer leaves that open.
      const gaps = options.embedder === undefined ? {} : DEFAULT_SETTINGS;
      const settings = await joinQueue(link, options.asked, gaps, options.mustExist);
      const database = await connection.database();
      const session = new Session(connection, link, settings, database, options, events, restored);
      await session.#listen();
      return session;
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  get settings(): StoredSettings {
    return this.#settings;
  }

  get fields(): DestinationFields {
    return this.#fields;
  }

  /** Hears the doorbell; returns the function that ends it. */
  onRing(listener: RingListener): () => void {
    this.#rings.add(listener);
    return () => this.#rings.delete(listener);
  }

  /** Called when the connection for commands is back. */
  onRestored(listener: () => void): () => void {
    this.#restored.add(listener);
    return () => this.#restored.delete(listener);
  }

  /**
   * Reads the settings again. What another process changed is adopted, except the vector space where
   * this process has an embedder or named a model; what was lost with Redis' data is stored again.
   */
  async refresh(): Promise<void> {
    const { asked, embedder } = this.options;
    const { model, dimensions, task } = asked;
    const { space, ...rest } = this.#settings;
    // As at the start, a mere producer leaves open what it did not ask for.
    const gaps = embedder === undefined ? asked : { ...rest, ...space };
    this.#adopt(await joinQueue(this.link, { model, dimensions, task }, gaps));
  }

  /** Changes settings for all processes. */
  async configure(changes: RequestedSettings): Promise<void> {
    this.#adopt(await configureQueue(this.link, changes, this.options.asked));
  }

  /** Waits see to notifications when the first of them begins: without waits no flag is touched. */
  prepareWaits(): void {
    if (this.options.notifications !== "auto") return;
    this.#notifications ??= this.#enableNotifications();
  }

  /**
   * Tells listeners of `doneChannelPrefix` that the work of these keys is done. Never fails.
   *
   * @param isSure False where something newer may be outstanding for some of them: those are passed over.
   */
  async announce(keys: readonly string[], isSure = true): Promise<void> {
    const { doneChannelPrefix } = this.options;
    if (doneChannelPrefix === undefined || keys.length === 0) return;
    try {
      await (isSure ? publishDone : publishIfDone)(this.link, doneChannelPrefix, keys);
    } catch (error) {
      this.events.emit("publish:failed", { error: asError(error) });
    }
  }

  async close(reason: Error): Promise<void> {
    this.waits.close(reason);
    try {
      await this.#subscriber.close();
    } finally {
      await this.#connection.close();
    }
  }

  #adopt(settings: StoredSettings): void {
    this.#settings = settings;
    this.#fields = destinationFields(settings.field);
  }

  async #listen(): Promise<void> {
    const { doorbell } = this.link.keys;
    this.#subscriber = await Subscriber.open(
      this.#connection,
      doorbell,
      this.options.commandTimeoutMs,
      {
        onMessage: (message, channel) => {
          if (channel === doorbell) this.#hear(message);
          else if (message === "hset") this.waits.onWritten(channel);
        },
        onLive: (channels) => this.waits.onLive(channels),
        onRefused: (error) => this.#loseNotifications(error),
        onLost: (error) => {
          this.events.emit("connection:lost", { role: "subscriber", error });
          this.#isSubscribed = false;
          this.#updateWaits();
        },
        onRestored: () => this.#onSubscriberRestored(),
      },
    );
  }

  #hear(message: string): void {
    const space = message.indexOf(" ");
    const word = space < 0 ? message : message.slice(0, space);
    const detail = space < 0 ? "" : message.slice(space + 1);
    if (word === "gone") this.waits.onGone(detail);
    if (word === "settings") this.#refreshNow();
    for (const listener of [...this.#rings]) listener(word, detail);
  }

  #refreshNow(): void {
    this.refresh().catch((thrown: unknown) => {
      // Where Redis is only away, its return asks again.
      const error = asError(thrown);
      this.events.emit("settings:refused", { error });
    });
  }

  /** What was rung or written meanwhile was not heard; and a restarted Redis has forgotten its flags. */
  #onSubscriberRestored(): void {
    this.events.emit("connection:restored", { role: "subscriber" });
    this.#isSubscribed = true;
    this.#updateWaits();
    this.#refreshNow();
    for (const listener of this.#restored) listener();
    if (this.#notifications !== undefined) {
      this.#notifications = undefined;
      this.prepareWaits();
    }
    this.waits.recheckAll();
  }

  async #enableNotifications(): Promise<void> {
    try {
      const flags = await enableNotifications(this.link);
      this.#hasNotifications = true;
      this.#updateWaits();
      this.events.emit("notifications:enabled", { flags });
      // What was written before the flags were set made no event.
      this.waits.recheckAll();
    } catch (error) {
      this.#loseNotifications(asError(error));
    }
  }

  #loseNotifications(error: Error): void {
    this.#hasNotifications = false;
    this.#updateWaits();
    this.events.emit("notifications:unavailable", { error });
  }

  #updateWaits(): void {
    this.waits.hearsEvents = this.#hasNotifications && this.#isSubscribed;
  }
}
