// What was asked of the provider and what it came to, counted. A worker counts for itself; its claims
// carry what is new to Redis, where it is added up for the queue.

import type { Optional } from "./settings.ts";
import type { UsageStats, WorkerUsage } from "./stats.ts";

/** Why a claim's first text was due. */
export type ClaimReason = "size" | "timer" | "flush" | "retry";

/** The most that one call may be worth. What is said to be more is no count, and would be no whole number after a few sums. */
const MOST_AT_ONCE = 1e12;

/** Whether this can be how much something was: finite, not negative, and not absurd. */
export function isCount(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= MOST_AT_ONCE;
}

/** What a worker counts. Added up, never taken back. */
export interface UsageCounts {
  /** Provider calls made, also those that failed. */
  readonly calls: number;
  /** Texts that came back from the provider as vectors. */
  readonly texts: number;
  /** Tokens of the calls that came back, reported or estimated. */
  readonly tokens: number;
  /** The part of these that is an estimate. */
  readonly tokensEstimated: number;
  /** How full the calls were, in thousandths, summed. */
  readonly fillPermille: number;
  /** Texts whose vectors were in the cache. */
  readonly cacheHits: number;
  /** Texts that went back to the queue without a spent attempt. */
  readonly deferrals: number;
  /** Failed attempts. */
  readonly failures: number;
  /** Texts that were given up. */
  readonly dead: number;
}

/** What a worker tells Redis: the increments, and its own totals. Both are JSON. */
export interface UsageReport {
  readonly added: string;
  readonly own: string;
}

const COUNTS = [
  "calls",
  "texts",
  "tokens",
  "tokensEstimated",
  "fillPermille",
  "cacheHits",
  "deferrals",
  "failures",
  "dead",
] as const satisfies readonly (keyof UsageCounts)[];

// For the queue the claim script counts these: only for itself a worker does.
const REASONS = ["size", "timer", "flush", "retry"] as const satisfies readonly ClaimReason[];

type Totals = Record<(typeof COUNTS)[number] | ClaimReason, number>;

/**
 * What one worker has counted, and how much of it Redis knows.
 *
 * `take` names what is new, `confirm` says that Redis has counted it. What is not confirmed is in the
 * next report again, so a lost reply can count it twice and never loses it.
 */
export class Usage {
  readonly #totals: Totals = zeros();
  /** The totals as Redis knows them. */
  #told: Totals = zeros();
  /** The totals as they were at the last report. */
  #taken: Totals = zeros();

  /** Counts; what can be no count is none. */
  add(counts: Optional<UsageCounts>): void {
    for (const name of COUNTS) {
      if (isCount(counts[name])) this.#totals[name] += whole(counts[name]);
    }
  }

  /** Counts a claim that brought work. */
  noteClaim(reason: ClaimReason): void {
    this.#totals[reason]++;
  }

  /** What Redis does not know yet; undefined where that is nothing. One report at a time. */
  take(): UsageReport | undefined {
    this.#taken = { ...this.#totals };
    const isNew = (name: keyof Totals) => this.#taken[name] !== this.#told[name];
    if (![...COUNTS, ...REASONS].some(isNew)) return undefined;
    const added = COUNTS.filter(isNew).map((name) => [name, this.#taken[name] - this.#told[name]]);
    return {
      added: JSON.stringify(Object.fromEntries(added)),
      own: JSON.stringify(this.#taken),
    };
  }

  /** Redis has counted the last report. */
  confirm(): void {
    this.#told = this.#taken;
  }
}

/** A worker's totals as it told them; zeros where it has told none, or they are damaged. */
export function workerUsageOf(json: string | undefined): WorkerUsage {
  let found: unknown;
  try {
    found = JSON.parse(json ?? "{}");
  } catch {
    // Not ours: the worker's next report takes its place.
  }
  const fields = typeof found === "object" && found !== null ? Object.entries(found) : [];
  return usageOf(new Map(fields.map(([name, value]) => [name, String(value)])));
}

/** The queue's totals, from the fields of its usage key. */
export function queueUsageOf(fields: ReadonlyMap<string, string>): UsageStats {
  return { ...usageOf(fields), skipHits: whole(Number(fields.get("skipHits"))) };
}

function usageOf(fields: ReadonlyMap<string, string>): WorkerUsage {
  const of = (name: keyof Totals) => whole(Number(fields.get(name)));
  const calls = of("calls");
  return {
    calls,
    texts: of("texts"),
    tokens: of("tokens"),
    tokensEstimated: of("tokensEstimated"),
    batchFill: calls === 0 ? undefined : of("fillPermille") / calls / 1000,
    cacheHits: of("cacheHits"),
    deferrals: of("deferrals"),
    failures: of("failures"),
    dead: of("dead"),
    claims: {
      size: of("size"),
      timer: of("timer"),
      flush: of("flush"),
      retry: of("retry"),
    },
  };
}

function zeros(): Totals {
  return Object.fromEntries([...COUNTS, ...REASONS].map((name) => [name, 0])) as Totals;
}

/** Counters of Redis are whole. */
function whole(value: number | undefined): number {
  return value !== undefined && Number.isFinite(value) && value > 0 ? Math.round(value) : 0;
}
