// What all actors of one schedule share: the draw, the ledger, and how to bring others in.

import type { QueueSettings } from "../../src/model/settings.ts";
import type { Link } from "../../src/redis/link.ts";
import { destinationFields } from "../../src/redis/scripts/destination.ts";
import type { Actor } from "./actor.ts";
import type { GivenText, Ledger } from "./ledger.ts";
import type { Random } from "./random.ts";

/**
 * - `plain`: crashes, lost replies, lease expiry and outages; the crash bound is off
 * - `damage`: also foreign hands in the data
 * - `killer`: texts that end their process, which only they do; the crash bound is judged
 */
export type Mode = "plain" | "damage" | "killer";

/** Wrong orders of calls that a mutant's actors follow. */
export type Misbehaviour =
  | "waitsDestinationFirst"
  | "settlesBeforeWrite"
  | "givesUpBeforeMark"
  | "clearsBeforeBlank"
  | "skipsWithoutTouch"
  | "settlesDeadMarks"
  | "forgetsLostClaims";

/** Nothing expires by itself: leases run out only where the schedule says so. */
export const LEASE_MS = 100_000_000;

/** Everything is due at once: the flush policy is not the subject here. */
export const SETTINGS: QueueSettings = {
  maxBatchSize: 1,
  flushIntervalMs: 0,
  leaseMs: LEASE_MS,
  maxAttempts: 2,
  maxDeadLetters: 10_000,
  field: "embedding",
};

export const FIELDS = destinationFields(SETTINGS.field);

/** What is drawn before the first step. */
export interface Plan {
  readonly keys: readonly [string, ...string[]];
  readonly texts: readonly [string, ...string[]];
  readonly onMissing: "create" | "skip";
  readonly onDead: "zero" | "unset";
  readonly skipsUnchanged: boolean;
  /** False where producers start before any process has named a model. */
  readonly startsWithModel: boolean;
}

export interface World {
  readonly random: Random;
  readonly ledger: Ledger;
  readonly plan: Plan;
  readonly mode: Mode;
  readonly misbehaviour: Misbehaviour | undefined;
  /** Lets somebody in. */
  enter(name: string, body: (actor: Actor) => Promise<void>): Actor;
  /** A wait for the text, perhaps by another process at once, at the latest in the end. */
  waitFor(given: GivenText, startsNow: boolean): void;
  /** The link on which nothing is a step. */
  readonly link: Link;
}
