// Wrong protocols, each wrong in one place, that the simulator must catch: what is not caught here
// would not be seen in the production scripts either.

import type { DamageKind } from "./damage.ts";
import type { Patch } from "./patch.ts";
import type { Misbehaviour, Mode } from "./world.ts";

export interface Mutant {
  readonly name: string;
  /** The mode in which it is caught. */
  readonly mode: Mode;
  /** Schedules among which it is caught with the seed of the tests, with some room. */
  readonly within: number;
  /** What is changed in the scripts. */
  readonly patches: readonly Patch[];
  /** What the actors do in a wrong order. */
  readonly misbehaviour?: Misbehaviour;
  /** The damage that brings it to light. */
  readonly damage?: DamageKind;
}

/** Calls in a wrong order, or left out. */
const ORDERS: readonly Mutant[] = [
  behaves("wait-destination-first", 20, "waitsDestinationFirst"),
  behaves("settle-before-write", 20, "settlesBeforeWrite"),
  behaves("give-up-letter-before-mark", 20, "givesUpBeforeMark"),
  behaves("blank-clears-first", 20, "clearsBeforeBlank"),
  behaves("skip-without-touch", 1000, "skipsWithoutTouch"),
  behaves("dead-mark-is-settled", 500, "settlesDeadMarks"),
  { ...behaves("lost-claim-not-adopted", 100, "forgetsLostClaims"), mode: "killer" },
];

/** The write script: the fence. */
const FENCE: readonly Mutant[] = [
  patched("no-fence", 200, "write", "elseif held > version then", "elseif false then"),
  patched(
    "dead-mark-over-vector",
    500,
    "write",
    "elseif held == version and op ~= 'embed' then word = 'same'",
    "",
  ),
  patched(
    "touch-ignores-source",
    300,
    "write",
    "stored[1] == digest and stored[2] == 'embedded' and",
    "",
  ),
  patched(
    "missing-is-created",
    100,
    "write",
    "elseif skipsMissing and redis.call('EXISTS', key) == 0 then",
    "elseif false then",
  ),
  patched("source-survives-death", 20, "write", "redis.call('HDEL', key, SOURCE)", ""),
];

/** One live entry for a key, and what it stands for. */
const ENTRIES: readonly Mutant[] = [
  patched(
    "update-in-place-in-flight",
    20,
    "enqueue",
    "if hasEntry and not notAfter(live.id, delivered) then",
    "if hasEntry then",
  ),
  patched(
    "parked-retry-left-behind",
    20,
    "enqueue",
    "if hasEntry and ownerOf(live.id) == PARKED then removeEntry(live.id) end",
    "",
  ),
  patched("coalesce-ignores-text", 20, "enqueue", "and textOf(live) == text then", "then"),
  patched(
    "superseded-handed-out",
    40,
    "claim",
    "if live and live.id == id then return live end",
    "if live then return live end",
  ),
];

/** Settle, give up, cancel and fail: what is let go of, and what stays. */
const ENDS: readonly Mutant[] = [
  patched(
    "settle-ignores-version",
    20,
    "settle",
    "if isAsClaimed or live and live.version == tonumber(version) then",
    "if isAsClaimed or live then",
  ),
  patched(
    "give-up-ignores-version",
    40,
    "giveUp",
    "if live and live.version == version then",
    "if live then",
  ),
  patched("settle-leaves-entry", 20, "settle", "each(doneIds, 'XDEL', PENDING)", ""),
  patched("settle-without-ack", 20, "settle", "each(doneIds, 'XACK', PENDING, GROUP)", ""),
  patched("settle-keeps-attempts", 40, "settle", "each(forgetKeys, 'HDEL', RETRIES)", ""),
  patched("cancel-by-field", 100, "cancel", "removeEntry(live.id)", ""),
  patched("cancel-keeps-attempts", 500, "cancel", "redis.call('HDEL', RETRIES, key)", ""),
  patched("attempts-survive-new-text", 20, "enqueue", "if hasRetries then", "if false then"),
  patched("outage-spends-attempt", 300, "fail", "local counted = spends and", "local counted ="),
];

/** Whose an entry is. */
const OWNERS: readonly Mutant[] = [
  patched(
    "renewal-without-owner",
    20,
    "renew",
    "if ownerOf(ARGV[i]) == ARGV[1] then",
    "if true then",
  ),
  patched("fail-without-owner", 100, "fail", "if owner ~= me then", "if not owner then"),
  patched(
    "sweep-takes-busy-workers",
    200,
    "sweep",
    "if consumer['pending'] == 0 and (leaves or isDead) then",
    "if leaves or isDead then",
  ),
  patched("send-back-over-outstanding", 1000, "sendBack", "if liveWork(key) or floor", "if floor"),
  patched("send-back-over-written", 800, "sendBack", "or floor > version then", "then"),
];

/** What keeps damage from spreading. */
const REPAIRS: readonly Mutant[] = [
  damaged(
    "aheadVersion",
    patched(
      "coalesce-ignores-stored-version",
      800,
      "enqueue",
      "and live.version >= floor and",
      "and",
    ),
  ),
  damaged(
    "aheadVersion",
    patched(
      "version-not-above-stored",
      40,
      "enqueue",
      "math.max(clock, floor + 1, ",
      "math.max(clock, ",
    ),
  ),
  damaged(
    "farVersion",
    patched(
      "far-version-counts",
      40,
      "write",
      "return version <= aheadUs and version or 0",
      "return version",
    ),
  ),
  damaged(
    "deleteStream",
    patched("no-repair", 40, "repair", "elseif not entryOf(live.id) then", "elseif false then"),
  ),
  damaged(
    "groupAtEnd",
    patched(
      "undeliverable-entries-stay",
      40,
      "claim",
      "redis.call('XGROUP', 'SETID', PENDING, GROUP, '0')",
      "if true then break end",
    ),
  ),
  damaged(
    "deleteDedup",
    patched("orphans-keep-attempts", 100, "claim", "redis.call('HDEL', RETRIES, key)", ""),
  ),
];

/** The bound on crashes. */
const CRASHES: readonly Mutant[] = [
  {
    name: "suspects-not-alone",
    mode: "killer",
    within: 50,
    patches: [
      { script: "claim", from: "elseif lost >= 2 and not", to: "elseif false and not" },
      { script: "claim", from: "isSolo = lost >= 2", to: "isSolo = false" },
    ],
  },
  inKillerMode(patched("no-crash-bound", 20, "claim", "or lost >= 4 then", "then")),
  inKillerMode(patched("adopt-ignores-bound", 500, "adopt", "or deliveries > 4", "")),
  inKillerMode(
    patched("fail-keeps-delivery", 100, "fail", "math.max(0, deliveries - 1)", "deliveries"),
  ),
];

export const MUTANTS: readonly Mutant[] = [
  ...ORDERS,
  ...FENCE,
  ...ENTRIES,
  ...ENDS,
  ...OWNERS,
  ...REPAIRS,
  ...CRASHES,
];

function behaves(name: string, within: number, misbehaviour: Misbehaviour): Mutant {
  return { name, mode: "plain", within, patches: [], misbehaviour };
}

function patched(name: string, within: number, script: string, from: string, to: string): Mutant {
  return { name, mode: "plain", within, patches: [{ script, from, to }] };
}

function damaged(damage: DamageKind, mutant: Mutant): Mutant {
  return { ...mutant, mode: "damage", damage };
}

function inKillerMode(mutant: Mutant): Mutant {
  return { ...mutant, mode: "killer" };
}
