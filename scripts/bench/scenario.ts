// What a scenario is, and what it is given to run with.

import type { Closable, Contender, Producer, Setup } from "./contender.ts";
import type { ContenderName } from "./contenders/index.ts";
import type { Helper, HelperOrder } from "./helper.ts";
import type { Item, Provider } from "./items.ts";
import type { Redis } from "./redis.ts";

/** A figure that a scenario gives. */
export interface Metric {
  readonly title: string;
  readonly unit: string;
  readonly better: "higher" | "lower";
  /** Digits after the point. */
  readonly digits: number;
}

export type Figures = Readonly<Record<string, number>>;

/** One form of a scenario: with which queues and how many texts each, and what is different in it. */
export interface Case {
  readonly name: string;
  readonly title: string;
  /** Fixed work; less for those that would take minutes. */
  readonly items: Readonly<Partial<Record<ContenderName, number>>>;
  /** @default 768 */
  readonly dimensions?: number;
  /** @default 50, embedq's own default */
  readonly batchSize?: number;
  /** @default 4, embedq's own default */
  readonly concurrency?: number;
  /** Milliseconds that a provider call takes, and for each text of it. @default none */
  readonly provider?: { readonly callMs: number; readonly itemMs: number };
  /** A number that only this scenario understands. */
  readonly degree?: number;
  /** A word that only this scenario understands. */
  readonly word?: string;
}

export interface Scenario {
  readonly name: string;
  readonly title: string;
  /** The first is the one that charts show. */
  readonly metrics: Readonly<Record<string, Metric>>;
  readonly cases: readonly Case[];
  /** Texts of the run before the one that counts. */
  readonly warmItems: number;
  /** Runs once, on an empty Redis, and throws where anything is not as it must be. */
  run(bench: Bench): Promise<Figures>;
}

/** What a run stands on. */
export interface Bench {
  readonly setup: Setup;
  readonly contender: Contender;
  readonly contenderName: ContenderName;
  readonly form: Case;
  readonly count: number;
  /** The benchmark's own connection. */
  readonly redis: Redis;
  produce(): Promise<Producer>;
  work(provider: Provider, onSettled: (count: number) => void): Promise<Closable>;
  /** Another process of the same runtime. */
  help(order: HelperOrder): Promise<Helper>;
  /** Throws where a vector is missing or wrong, or work is left. */
  check(items: readonly Item[]): Promise<void>;
  /** Throws where not exactly so many texts wait. */
  checkOutstanding(count: number): Promise<void>;
}

/** Counts down to the last settle, and keeps its time. */
export class Countdown {
  readonly reached: Promise<void>;
  at = 0;
  #left: number;
  #resolve = () => {};

  constructor(total: number) {
    this.#left = total;
    this.reached = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  readonly count = (settled: number): void => {
    this.#left -= settled;
    if (this.#left > 0) return;
    this.at = performance.now();
    this.#resolve();
  };
}

export const RATE: Metric = { title: "texts a second", unit: "/s", better: "higher", digits: 0 };
