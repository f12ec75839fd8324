// What every queue under measurement looks like to a scenario.

import type { Item, Provider, Vectors } from "./items.ts";

/** What a producer and a worker are opened with. */
export interface Setup {
  /** The checkout. */
  readonly root: string;
  readonly url: string;
  readonly vectors: Vectors;
  /** Texts in one provider call, at most. */
  readonly batchSize: number;
  /** Provider calls in flight at once. */
  readonly concurrency: number;
  /** Whether the provider answers at once, so that nothing is lost by many calls for one text each. */
  readonly callsAreFree: boolean;
}

export interface Closable {
  close(): Promise<void>;
}

/** The side that hands texts over. */
export interface Producer extends Closable {
  /** Hands all over, as fast as it can. */
  enqueueMany(items: readonly Item[]): Promise<void>;
  /** Hands one over. */
  enqueue(item: Item): Promise<void>;
  /** Texts that are handed over and not worked off, as Redis holds them. */
  outstanding(): Promise<number>;
  /** Hands one over and waits for its end. Undefined where the queue has no such wait. */
  readonly enqueueAndWait?: (item: Item) => Promise<unknown>;
  /** Hands all over; the function that comes back begins all waits, one promise for each. */
  readonly prepareWaits?: (items: readonly Item[]) => Promise<() => Promise<unknown>[]>;
}

export interface Contender {
  /** How it is set up, in words. */
  readonly settings: string;
  /** Whether vectors end in their destinations. */
  readonly stores: boolean;
  produce(setup: Setup): Promise<Producer>;
  /** Starts to drain; `onSettled` is told how many texts were let go of, after Redis has confirmed it. */
  work(setup: Setup, provider: Provider, onSettled: (count: number) => void): Promise<Closable>;
}

/** Loads a package that is installed beside the benchmark, not in the root of the checkout. */
export async function loadPeer<Package>(name: string): Promise<Package> {
  return (await import(name)) as Package;
}
