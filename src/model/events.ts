// The typed events of a queue and of a worker. Names are `area:verb` in the past tense.

import { asError, type CallMeasure } from "./errors.ts";
import type { ClaimReason } from "./usage.ts";

/** Every event with its payload. Payloads never carry texts or credentials. */
export interface EmbedqEvents {
  /** A worker takes claims. */
  "worker:started": { readonly worker: string };
  /** A worker has ended; `handedBack` texts went back to the queue. */
  "worker:stopped": { readonly worker: string; readonly handedBack: number };
  /** A worker makes no calls for a while, by its own fault; it tries again by itself. */
  "worker:paused": { readonly worker: string; readonly pauseMs: number; readonly error: Error };
  /** A paused worker works again. */
  "worker:resumed": { readonly worker: string };
  /** A step of a worker failed, for instance because Redis is away; the worker tries it again. */
  "worker:failed": { readonly worker: string; readonly action: string; readonly error: Error };
  /** One claimed batch is through, whatever became of its texts. */
  "batch:drained": BatchDrained;
  /** One attempt of a text failed; it is due again after `backoffMs`. */
  "text:retried": {
    readonly key: string;
    readonly version: number;
    readonly attempts: number;
    readonly backoffMs: number;
    readonly error: Error;
  };
  /** A text went back to the queue without a spent attempt. */
  "text:deferred": { readonly key: string; readonly version: number; readonly error: Error };
  /** A text was given up. */
  "text:dead": {
    readonly key: string;
    readonly version: number;
    readonly attempts: number;
    readonly reason: string;
  };
  /** A text was dropped because its destination is missing (`onMissing: "skip"`). */
  "text:skipped": { readonly key: string; readonly version: number };
  /** Texts went to another worker before this one had finished them; whose vector stays is decided by version. */
  "lease:lost": { readonly worker: string; readonly keys: readonly string[] };
  /** The provider asks for a pause: no worker of the queue calls it for `pauseMs`. */
  "cooldown:started": { readonly pauseMs: number; readonly error: Error };
  /** A call waits as the rate budget of this account is used up for now. */
  "budget:exhausted": {
    readonly worker: string;
    readonly account: string;
    readonly waitMs: number;
  };
  /** The provider refused a call for its size: this worker makes smaller ones, of at most `limit` items, tokens or bytes. */
  "limit:lowered": { readonly measure: CallMeasure; readonly limit: number };
  /** The cache could not be read or written; the provider is called instead. */
  "cache:failed": { readonly error: Error };
  /** Listeners of `doneChannelPrefix` could not be told that work is done; the work is not touched by that. */
  "publish:failed": { readonly error: Error };
  /** A call after the pause succeeded. */
  "cooldown:ended": Record<never, never>;
  /** Data that embedq did not write, or that was lost, was removed or set aside as a dead letter. */
  "data:repaired": { readonly what: string };
  /** Another process changed the settings to what this one cannot share, for instance another model. */
  "settings:refused": { readonly error: Error };
  /** Keyspace notifications are on: waits end as soon as the vector is stored. */
  "notifications:enabled": { readonly flags: string };
  /** Keyspace notifications cannot be had: waits look at Redis on a timer. */
  "notifications:unavailable": { readonly error: Error };
  /** A connection to Redis broke; it is made again by itself. */
  "connection:lost": { readonly role: "commands" | "subscriber"; readonly error: Error };
  /** A connection to Redis is back. */
  "connection:restored": { readonly role: "commands" | "subscriber" };
  /** A listener of another event threw. */
  "listener:failed": { readonly event: string; readonly error: Error };
}

/** What a drain did with one claimed batch. */
export interface BatchDrained {
  /** `error` when at least one text of the batch was not embedded. */
  readonly status: "ok" | "error";
  /** Name of the worker. */
  readonly worker: string;
  /** From the claim's reply to the last settle, in milliseconds. */
  readonly durationMs: number;
  /** Texts in the batch. */
  readonly batchSize: number;
  /** Why the claim was due: a full batch, the timer, a flush, or texts that came back. */
  readonly reason: ClaimReason;
  /** Provider calls made for it. */
  readonly calls: number;
  /** How full these calls were on average, from 0 to 1, by the measure that was fullest; undefined without calls. */
  readonly batchFill: number | undefined;
  /** Tokens of these calls, as the provider reports them, else estimated. */
  readonly tokens: number;
  /** Texts whose vectors were in the cache. */
  readonly cacheHits: number;
  /** Texts that were not embedded this time. */
  readonly errorCount: number;
  /** The first error, if any. */
  readonly error: Error | undefined;
}

/** The name of an event. */
export type EventName = keyof EmbedqEvents;

/** A listener of one event. */
export type EventListener<Name extends EventName> = (payload: EmbedqEvents[Name]) => void;

type Listeners = { [Name in EventName]?: Set<EventListener<Name>> };

/** A typed emitter whose listeners cannot harm the emitter. */
export class EventEmitter {
  readonly #listeners: Listeners = {};

  /** Adds a listener; returns the function that removes it. */
  on<Name extends EventName>(event: Name, listener: EventListener<Name>): () => void {
    const listeners: Set<EventListener<Name>> = this.#of(event) ?? new Set();
    (this.#listeners as Record<Name, Set<EventListener<Name>>>)[event] = listeners;
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }

  /** Calls every listener. One that throws is reported as `listener:failed` and stops nothing. */
  emit<Name extends EventName>(event: Name, payload: EmbedqEvents[Name]): void {
    for (const listener of [...(this.#of(event) ?? [])]) {
      try {
        // A listener may be an async function all the same: then it fails later.
        const ended: unknown = listener(payload);
        if (ended instanceof Promise) {
          ended.catch((error: unknown) => this.#reportFailure(event, error));
        }
      } catch (error) {
        this.#reportFailure(event, error);
      }
    }
  }

  #reportFailure(event: EventName, error: unknown): void {
    // A failing listener of `listener:failed` itself has nobody left to be reported to.
    if (event !== "listener:failed") this.emit("listener:failed", { event, error: asError(error) });
  }

  #of<Name extends EventName>(event: Name): Set<EventListener<Name>> | undefined {
    return this.#listeners[event] as Set<EventListener<Name>> | undefined;
  }
}
