// One schedule: draws who takes part, lets one actor after the other take a step, disturbs them,
// and in the end lets everything come to rest.

import { EmbedqError } from "../../src/model/errors.ts";
import { readLetters } from "../../src/redis/deadletters.ts";
import type { Link } from "../../src/redis/link.ts";
import type { Reply } from "../../src/redis/replies.ts";
import { runJoin } from "../../src/redis/scripts/settings.ts";
import { Actor, type Call } from "./actor.ts";
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
import { waitFor } from "./waiter.ts";
import { WorkerProcess } from "./worker.ts";
import {
  ASKED_SPACE,
  LEASE_MS,
  type Misbehaviour,
  type Mode,
  type Plan,
  SETTINGS,
  type World,
} from "./world.ts";

/** Of a hundred replies, how many never arrive. */
const LOST_REPLIES = 0.04;
/** Steps after which even the slowest schedule that makes progress has come to rest. */
const MAX_STEPS_TO_REST = 3_000;

export interface ScheduleOptions {
  readonly seed: number;
  readonly mode: Mode;
  readonly misbehaviour: Misbehaviour | undefined;
  /** The kind of damage in damage mode. @default drawn anew for each schedule */
  readonly damage?: DamageKind | undefined;
}

export class Schedule implements World {
  readonly random: Random;
  readonly ledger = new Ledger();
  readonly log = new Log();
  readonly plan: Plan;
  readonly mode: Mode;
  readonly misbehaviour: Misbehaviour | undefined;
  readonly link: Link;
  readonly #rules: Rules;
  readonly #actors = new Set<Actor>();
  readonly #producers = new Set<Actor>();
  readonly #processes = new Set<WorkerProcess>();
  #snapshot: Snapshot = EMPTY_SNAPSHOT;
  #workerCount = 0;
  readonly #damage: DamageKind | undefined;

  constructor(link: Link, { seed, mode, misbehaviour, damage }: ScheduleOptions) {
    this.link = link;
    this.#damage = damage;
    this.random = new Random(seed);
    this.mode = mode;
    this.misbehaviour = misbehaviour;
    this.plan = drawPlan(this.random, mode);
    this.#rules = new Rules(this);
  }

  /** Runs it on a server that holds nothing else, and judges it. */
  async run(): Promise<void> {
    await this.#prepare();
    await this.#interleave();
    await this.#comeToRest();
    const letters = await readLetters(this.link, undefined, 1_000);
    await judge(this, await takeSnapshot(this.link, this.plan.keys), letters);
  }

  enter(name: string, body: (actor: Actor) => Promise<void>): Actor {
    const actor = new Actor(name, this.link, body);
    this.#actors.add(actor);
    return actor;
  }

  waitFor(given: GivenText, startsNow: boolean): void {
    const wait = { given, outcome: undefined };
    this.ledger.waits.push(wait);
    if (startsNow) this.enter(`wait.${given.key}`, (actor) => waitFor(this, actor, wait));
  }

  async #prepare(): Promise<void> {
    await this.link.send(["FLUSHDB"]);
    await runJoin(this.link, this.plan.startsWithModel ? ASKED_SPACE : {}, SETTINGS);
    if (this.plan.onMissing === "skip") {
      const [existing] = this.plan.keys;
      await this.link.send(["HSET", existing, "title", "theirs"]);
    }
    for (const name of ["producer.1", "producer.2"]) {
      this.#producers.add(this.enter(name, (actor) => produce(this, actor)));
    }
    if (this.random.chance(0.4)) this.enter("canceller", (actor) => cancel(this, actor));
    if (this.random.chance(0.3)) this.enter("backSender", (actor) => sendBack(this, actor));
    this.#spawn();
    if (this.random.chance(0.7)) this.#spawn();
  }

  async #interleave(): Promise<void> {
    const { random } = this;
    const steps = random.between(60, 180);
    let damage: Damage | undefined;
    let damageEndsAt = 0;
    for (let step = 0; step < steps && this.#actors.size > 0; step++) {
      if (random.chance(0.06)) {
        await this.#expire();
        continue;
      }
      if (this.mode !== "killer" && random.chance(0.015)) {
        const process = random.pick([...this.#processes]);
        if (process !== undefined) this.#crash(process);
        continue;
      }
      if (this.#processes.size < 2 && random.chance(0.2)) this.#spawn();
      if (random.chance(0.005)) this.#crashProducer();
      if (random.chance(0.005)) this.#stopWorker();
      if (this.mode === "damage" && damage === undefined && random.chance(0.02)) {
        const kind = this.#damage ?? random.pick(DAMAGE_KINDS);
        damage = await Damage.begin(this, kind, this.#snapshot);
        damageEndsAt = step + random.between(10, 40);
        await this.#look(`damage: ${damage.kind}`);
      }
      if (damage !== undefined && !damage.isOver && step >= damageEndsAt) {
        await damage.end();
        await this.#look("damage ends");
      }
      await this.#step(this.#pick());
    }
    if (damage !== undefined && !damage.isOver) {
      await damage.end();
      await this.#look("damage ends");
    }
  }

  /** All producers end; the workers of before limp on, while a last one drains the queue. */
  async #comeToRest(): Promise<void> {
    const { random } = this;
    this.log.note("the end begins");
    const limping = new Set([...this.#processes].flatMap(({ slots }) => slots));
    const others = () => [...this.#actors].filter((actor) => !limping.has(actor));
    while (others().length > 0) await this.#step(random.pick(others()));

    let last: WorkerProcess | undefined;
    for (let step = 0; step < MAX_STEPS_TO_REST && !this.#isEmpty; step++) {
      await this.#expire();
      if (last === undefined || !last.isAlive) last = this.#spawn({ isFinal: true });
      const { slots } = last;
      const able = [...this.#actors].filter((actor) => slots.includes(actor) || random.chance(0.1));
      await this.#step(random.pick(able));
    }
    this.log.note("zombies end their last work");
    for (const process of this.#processes) process.isLeaving = true;
    for (const zombie of limping) {
      for (let step = 0; step < 200 && this.#actors.has(zombie); step++) await this.#step(zombie);
    }
    for (let step = 0; step < MAX_STEPS_TO_REST && !this.#isEmpty; step++) {
      await this.#expire();
      if (last === undefined || !last.isAlive) last = this.#spawn({ isFinal: true });
      await this.#step(random.pick([...this.#actors]));
    }
  }

  get #isEmpty(): boolean {
    const { entries, dedup, pending } = this.#snapshot;
    return entries.size + dedup.size + pending.size === 0;
  }

  /** Mostly somebody who has something to do. */
  #pick(): Actor | undefined {
    const actors = [...this.#actors];
    const busy = actors.filter((actor) => !actor.isIdle);
    return this.random.pick(busy.length > 0 && this.random.chance(0.8) ? busy : actors);
  }

  async #step(actor: Actor | undefined): Promise<void> {
    if (actor === undefined) return;
    this.ledger.tick();
    this.ledger.count("steps");
    if (actor.call === undefined) await actor.start();
    else await this.#carryOut(actor, actor.call);
    if (!actor.hasEnded) return;
    this.#leave(actor);
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
    if (call.name === "enqueue")
      for (const kind of kindsOf(reply)) this.ledger.count(`enqueue ${kind}`);
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

  #spawn({ isFinal } = { isFinal: false }): WorkerProcess {
    const name = `worker${++this.#workerCount}`;
    const process = new WorkerProcess(this, name, {
      isFinal,
      crash: (dying) => this.#crash(dying),
    });
    this.#processes.add(process);
    return process;
  }

  #crash(process: WorkerProcess): void {
    this.log.note(`${process.name} crashes`);
    this.ledger.count("crashes");
    this.#processes.delete(process);
    for (const [id, { owner }] of this.#snapshot.pending) {
      if (owner === process.name) this.ledger.loseDelivery(id);
    }
    for (const slot of process.slots) {
      slot.end();
      this.#leave(slot);
    }
  }

  #crashProducer(): void {
    const producer = this.random.pick([...this.#producers]);
    if (producer === undefined) return;
    this.log.note(`${producer.name} crashes`);
    this.ledger.count("producer crashes");
    producer.end();
    this.#leave(producer);
  }

  #stopWorker(): void {
    const process = this.random.pick([...this.#processes]);
    if (process === undefined) return;
    this.log.note(`${process.name} is told to stop`);
    process.isStopping = true;
  }

  #leave(actor: Actor): void {
    this.#actors.delete(actor);
    this.#producers.delete(actor);
    for (const process of this.#processes) {
      if (!process.isAlive) this.#processes.delete(process);
    }
  }

  /** Time passes for one entry: it is abandoned, or its backoff has ended. */
  async #expire(): Promise<void> {
    let candidates = [...this.#snapshot.pending];
    if (this.mode === "killer") {
      // What a living process holds, it renews; what a lost claim gave it, it adopts in time.
      const processes = [...this.#processes];
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

  async #look(why: string): Promise<void> {
    this.log.note(why);
    this.#snapshot = await takeSnapshot(this.link, this.plan.keys);
    this.#rules.check(this.#snapshot, undefined);
  }

  #reportError(actor: Actor, error: unknown): void {
    this.ledger.report("error", `${actor.name}: ${error instanceof Error ? error.stack : error}`);
  }
}

/** What an enqueue decided, also where nobody hears of it. */
function kindsOf(reply: Reply): string[] {
  const [, , ...flat] = reply as readonly Reply[];
  return flat.filter((_, i) => i % 3 === 0).map(String);
}
