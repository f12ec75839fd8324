// Foreign hands in the data: each kind once in a schedule at most.

import type { Reply } from "../../src/redis/replies.ts";
import { GROUP, type Snapshot } from "./snapshot.ts";
import { FIELDS, type World } from "./world.ts";

type Hand = (world: World, snapshot: Snapshot) => Promise<void>;

/** Nothing accepted may be lost by these. */
const HARMLESS = {
  deleteStream: async ({ link }) => {
    await link.send(["DEL", link.keys.pending]);
  },
  deleteEntry: async ({ link, random }, { entries }) => {
    const id = random.pick([...entries.keys()]);
    if (id !== undefined) await link.send(["XDEL", link.keys.pending, id]);
  },
  duplicateEntry: async ({ link, random, plan }) => {
    await link.send(["XADD", link.keys.pending, "*", "key", random.pick(plan.keys)]);
  },
  foreignEntry: async ({ link }) => {
    await link.send(["XADD", link.keys.pending, "*", "colour", "blue"]);
  },
  acknowledge: async ({ link, random }, { pending }) => {
    const id = random.pick([...pending.keys()]);
    if (id !== undefined) await link.send(["XACK", link.keys.pending, GROUP, id]);
  },
  deleteConsumer: async ({ link, random }, { pending }) => {
    const owner = random.pick([...pending.values()])?.owner;
    if (owner !== undefined) {
      await link.send(["XGROUP", "DELCONSUMER", link.keys.pending, GROUP, owner]);
    }
  },
  deleteGroup: async (world) => {
    await destroyGroup(world);
  },
  groupAtEnd: async (world) => {
    const { link } = world;
    await destroyGroup(world);
    await link.send(["XGROUP", "CREATE", link.keys.pending, GROUP, "$", "MKSTREAM"]);
  },
  deleteRetries: async ({ link }) => {
    await link.send(["DEL", link.keys.retries]);
  },
  deleteClock: async ({ link }) => {
    await link.send(["DEL", link.keys.clock]);
  },
  farClock: async ({ link }) => {
    await link.send(["SET", link.keys.clock, String(2 ** 60)]);
  },
  deleteSettings: async ({ link }) => {
    await link.send(["DEL", link.keys.settings]);
  },
  damageWatermark: async ({ link }) => {
    await link.send(["SET", link.keys.flush, "soon"]);
  },
  wrongUsage: async ({ link }) => {
    await link.send(["SET", link.keys.usage, "much"]);
  },
  damageCounters: async ({ link, random }) => {
    const counter = random.pick(["calls", "skipHits", "size", "cause", "worker:worker1"]);
    await link.send(["DEL", link.keys.usage]);
    await link.send(["HSET", link.keys.usage, counter, "rubbish"]);
  },
  flushScripts: async ({ link }) => {
    await link.send(["SCRIPT", "FLUSH"]);
  },
} satisfies Record<string, Hand>;

/** What was accepted before these may be lost; what is accepted after them must not. */
const HARMFUL = {
  flushAll: async ({ link }) => {
    await link.send(["FLUSHDB"]);
  },
  deleteDedup: async ({ link }) => {
    await link.send(["DEL", link.keys.dedup]);
  },
  damageField: async ({ link, random, plan }) => {
    await link.send(["HSET", link.keys.dedup, random.pick(plan.keys), "rubbish"]);
  },
  deleteDestination: async ({ link, random, plan }) => {
    await link.send(["DEL", random.pick(plan.keys)]);
  },
  wrongType: async ({ link, random, plan }) => {
    await link.send(["SET", random.pick(plan.keys), "text"]);
  },
  /** As after a backup that is newer than the queue: an hour ahead, so it counts. */
  aheadVersion: async ({ link, random, plan }) => {
    const version = Date.now() * 1000 + 3_600_000_000;
    await link.send(["HSET", random.pick(plan.keys), FIELDS.version, String(version)]);
  },
  farVersion: async ({ link, random, plan }) => {
    await link.send(["HSET", random.pick(plan.keys), FIELDS.version, String(2 ** 60)]);
  },
} satisfies Record<string, Hand>;

/** The queue's keys become what they were some steps ago, the destinations stay: a fail-over. */
const RESTORE = "restoreQueue";

const HANDS = { ...HARMLESS, ...HARMFUL };

export type DamageKind = keyof typeof HANDS | typeof RESTORE;

export const DAMAGE_KINDS: readonly [DamageKind, ...DamageKind[]] = [
  RESTORE,
  ...(Object.keys(HANDS) as (keyof typeof HANDS)[]),
];

export class Damage {
  readonly kind: DamageKind;
  readonly #world: World;
  #restore: (() => Promise<void>) | undefined;

  private constructor(world: World, kind: DamageKind) {
    this.#world = world;
    this.kind = kind;
  }

  /** Does it, or does its first half. */
  static async begin(world: World, kind: DamageKind, snapshot: Snapshot): Promise<Damage> {
    const damage = new Damage(world, kind);
    const losesData = !(kind in HARMLESS);
    world.ledger.damage = { kind, losesData, endedAt: undefined };
    world.ledger.count(`damage ${kind}`);
    if (kind === RESTORE) {
      damage.#restore = await rememberQueue(world);
    } else {
      await HANDS[kind](world, snapshot);
      world.ledger.damage.endedAt = world.ledger.tick();
    }
    return damage;
  }

  get isOver(): boolean {
    return this.#world.ledger.damage?.endedAt !== undefined;
  }

  async end(): Promise<void> {
    const { ledger } = this.#world;
    await this.#restore?.();
    if (ledger.damage !== undefined) ledger.damage.endedAt = ledger.tick();
  }
}

async function destroyGroup({ link }: World): Promise<void> {
  if ((await link.send(["EXISTS", link.keys.pending])) === 0) return;
  await link.send(["XGROUP", "DESTROY", link.keys.pending, GROUP]);
}

async function rememberQueue({ link }: World): Promise<() => Promise<void>> {
  const dumps: [key: string, dump: Reply][] = [];
  for (const key of link.keys.all) {
    dumps.push([key, await link.send(["DUMP", key], { binary: true })]);
  }
  return async () => {
    for (const [key, dump] of dumps) {
      await link.send(["DEL", key]);
      if (dump instanceof Uint8Array) await link.send(["RESTORE", key, "0", dump]);
    }
  };
}
