// One schedule: draws who takes part, lets one actor after the other take a step, disturbs them,
// and in the end lets everything come to rest.

import { EmbedqError } from "../../src/model/errors.ts";
import { readLetters } from "../../src/redis/deadletters.ts";
import type { Link } from "../../src/redis/link.ts";
import type { Reply } from "../../src/redis/replies.ts";
import { runJoin } from "../../src/redis/scripts/settings.ts";
import type { Actor, Call } from "./actor.ts";
import { Cast } from "./cast.ts";
import { DAMAGE_KINDS, Damage, type DamageKind } from "./damage.ts";
import { judge } from "./judge.ts";
import { type GivenText, Ledger } from "./ledger.ts";
import { Log } from "./log.ts";
import { cancel, sendBack } from "./others.ts";
import { drawPlan } from "./plan.ts";
import { produce } from "./producer.ts";
import { Random } from "./random.ts";
import { Rules } from "./rules.ts";
import { EMPTY_SNAPSHOT, type Snapshot, setIdle, takeSnapshot } from "./snapshot.ts";
import { SPACE } from "./texts.ts";
import { waitFor } from "./waiter.ts";
import type { WorkerProcess } from "./worker.ts";
import {
  LEASE_MS,
  type Misbehaviour,
  type Mode,
  type Plan,
  SETTINGS,
  type World,
} from "./world.ts";

/** How many replies never arrive. */
const LOST_REPLIES = 0.04;
/** Steps after which even the slowest schedule that makes progress has come to rest. */
const MAX_STEPS_TO_REST = 3_000;
/** Steps in which a process ends what it has begun. */
const MAX_LAST_STEPS = 200;

export interface ScheduleOptions {
  readonly seed: number;
  readonly mode: Mode;
  readonly misbehaviour: Misbehaviour | undefined;
  /** The kind of damage in damage mode; drawn where undefined. */
  readonly damage: DamageKind | undefined;
}

export class Schedule implements World {
  readonly random: Random;
  readonly ledger = new Ledger();
  readonly log = new Log();
  readonly plan: Plan;
  readonly mode: Mode;
  readonly misbehaviour: Misbehaviour | undefined;
  readonly link: Link;
  readonly #damageKind: DamageKind | undefined;
  readonly #rules: Rules;
  readonly #cast: Cast;
  /** Written after every step. */
  #snapshot: Snapshot = EMPTY_SNAPSHOT;

  constructor(link: Link, { seed, mode, misbehaviour, damage }: ScheduleOptions) {
    this.link = link;
    this.random = new Random(seed);
    this.mode = mode;
    this.misbehaviour = misbehaviour;
    this.plan = drawPlan(this.random, mode);
    this.#damageKind = damage;
    this.#rules = new Rules(this);
    this.#cast = new Cast(this, this.log, link, () => this.#snapshot);
  }

  /** Runs it on a server that holds nothing else, and judges it. */
  async run(): Promise<void> {
    await this.#prepare();
    await this.#interleave();
    await this.#comeToRest();
    const letters = await readLetters(this.link, { limit: 1_000 });
    await judge(this, await takeSnapshot(this.link, this.plan.keys), letters);
  }

  enter(name: string, body: (actor: Actor) => Promise<void>): Actor {
    return this.#cast.enter(name, body);
  }

  waitFor(given: GivenText, startsNow: boolean): void {
    const wait = { given, outcome: undefined };
    this.ledger.waits.push(wait);
    if (startsNow) this.enter(`wait.${given.key}`, (actor) => waitFor(this, actor, wait));
  }

  async #prepare(): Promise<void> {
    await this.link.send(["FLUSHDB"]);
    await runJoin(this.link, this.plan.startsWithModel ? SPACE : {}, SETTINGS);
    if (this.plan.onMissing === "skip") {
      const [existing] = this.plan.keys;
      await this.link.send(["HSET", existing, "title", "theirs"]);
    }
    for (const name of ["producer1", "producer2"]) {
      this.#cast.enterProducer(name, (actor) => produce(this, actor));
    }
    if (this.random.chance(0.4)) this.enter("canceller", (actor) => cancel(this, actor));
    if (this.random.chance(0.3)) this.enter("backSender", (actor) => sendBack(this, actor));
    this.#cast.spawn();
    if (this.random.chance(0.7)) this.#cast.spawn();
  }

  async #interleave(): Promise<void> {
    const { random } = this;
    const steps = random.between(60, 180);
    let damage: Damage | undefined;
    let damageEndsAt = 0;
    for (let step = 0; step < steps && this.#cast.actors.size > 0; step++) {
      if (random.chance(0.06)) {
        await this.#expire();
        continue;
      }
      if (this.mode !== "killer" && random.chance(0.015)) {
        this.#cast.crashWorker();
        continue;
      }
      if (this.#cast.processes.size < 2 && random.chance(0.2)) this.#cast.spawn();
      if (random.chance(0.005)) this.#cast.crashProducer();
      if (random.chance(0.005)) this.#cast.stopWorker();
      if (this.mode === "damage" && damage === undefined && random.chance(0.02)) {
        damage = await this.#beginDamage();
        damageEndsAt = step + random.between(10, 40);
      }
      if (step >= damageEndsAt) await this.#endDamage(damage);
      await this.#step(this.#cast.pick());
    }
    await this.#endDamage(damage);
  }

  /** All others end; the workers of before limp on, while a last one drains the queue. */
  async #comeToRest(): Promise<void> {
    this.log.note("the end begins");
    const { actors, processes } = this.#cast;
    const limping = new Set([...processes].flatMap(({ slots }) => slots));
    for (;;) {
      const others = [...actors].filter((actor) => !limping.has(actor));
      if (others.length === 0) break;
      await this.#step(this.random.pick(others));
    }
    await this.#drain(0.1);
    this.log.note("zombies end their last work");
    for (const process of processes) process.isLeaving = true;
    for (const zombie of limping) {
      for (let step = 0; step < MAX_LAST_STEPS && actors.has(zombie); step++) {
        await this.#step(zombie);
      }
    }
    await this.#drain(1);
  }

  /** A worker that nothing disturbs works until the queue is empty; others act now and then. */
  async #drain(othersAct: number): Promise<void> {
    const { random } = this;
    let last: WorkerProcess | undefined;
    for (let step = 0; step < MAX_STEPS_TO_REST && !this.#isEmpty; step++) {
      await this.#expire();
      if (last === undefined || !last.isAlive) last = this.#cast.spawn({ isFinal: true });
      const { slots } = last;
      const able = [...this.#cast.actors].filter(
        (actor) => slots.includes(actor) || random.chance(othersAct),
      );
      await this.#step(random.pick(able));
    }
  }

  get #isEmpty(): boolean {
    const { entries, dedup, pending } = this.#snapshot;
    return entries.size + dedup.size + pending.size === 0;
  }

  async #step(actor: Actor | undefined): Promise<void> {
    if (actor === undefined) return;
    this.ledger.tick();
    this.ledger.count("steps");
    if (actor.call === undefined) await actor.start();
    else await this.#carryOut(actor, actor.call);
    if (!actor.hasEnded) return;
    this.#cast.leave(actor);
    if (actor.error !== undefined) this.#reportError(actor, actor.error);
  }

  async #carryOut(actor: Actor, call: Call): Promise<void> {
    if (call.isPause) {
      this.log.call(actor.name, call, null, "");
      await actor.answer(null);
      return;
    }
    let reply: Reply;
    try {
      reply = await call.execute();
      this.#snapshot = await takeSnapshot(this.link, this.plan.keys);
    } catch (error) {
      this.#reportError(actor, error);
      actor.end();
      return;
    }
    this.#rules.check(this.#snapshot, call);
    this.#count(call, reply);
    const isLost = this.random.chance(LOST_REPLIES);
    this.log.call(actor.name, call, reply, isLost ? "reply lost" : "");
    if (!isLost) {
      await actor.answer(reply);
      return;
    }
    this.ledger.count("lost replies");
    // A call that repeats stays wanted: the connection sends it again.
    if (!call.repeats) await actor.refuse(new EmbedqError("ERR_REDIS_UNAVAILABLE", "lost"));
  }

  /** Time passes for one entry: it is abandoned, or its backoff has ended. */
  async #expire(): Promise<void> {
    let candidates = [...this.#snapshot.pending];
    if (this.mode === "killer") {
      // What a living process holds, it renews; what a lost claim gave it, it adopts in time.
      const processes = [...this.#cast.processes];
      candidates = candidates.filter(
        ([id, { owner }]) => !processes.some(({ name, holds }) => name === owner && holds(id)),
      );
    }
    const candidate = this.random.pick(candidates);
    if (candidate === undefined) return;
    const [id, { owner }] = candidate;
    this.log.note(`time passes for ${id} of ${owner}`);
    this.ledger.count("expired");
    await setIdle(this.link, id, owner, LEASE_MS + 5);
  }

  async #beginDamage(): Promise<Damage> {
    const kind = this.#damageKind ?? this.random.pick(DAMAGE_KINDS);
    const damage = await Damage.begin(this, kind, this.#snapshot);
    await this.#look(`damage: ${kind}`);
    return damage;
  }

  async #endDamage(damage: Damage | undefined): Promise<void> {
    if (damage === undefined || damage.isOver) return;
    await damage.end();
    await this.#look("damage ends");
  }

  async #look(why: string): Promise<void> {
    this.log.note(why);
    this.#snapshot = await takeSnapshot(this.link, this.plan.keys);
    this.#rules.check(this.#snapshot, undefined);
  }

  /** What an enqueue decided, also where nobody hears of it. */
  #count({ name }: Call, reply: Reply): void {
    if (name !== "enqueue" || !Array.isArray(reply)) return;
    for (let at = 2; at < reply.length; at += 3) this.ledger.count(`enqueue ${reply[at]}`);
  }

  #reportError(actor: Actor, error: unknown): void {
    this.ledger.report("error", `${actor.name}: ${error instanceof Error ? error.stack : error}`);
  }
}
