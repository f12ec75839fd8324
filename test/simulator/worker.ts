// A worker process with two slots. It follows the order of calls that the protocol asks for; its
// provider fails, dies and refuses as the schedule draws it.

import { EmbedqError } from "../../src/model/errors.ts";
import type { Job } from "../../src/model/job.ts";
import { spaceTag } from "../../src/model/settings.ts";
import { Usage } from "../../src/model/usage.ts";
import type { Link } from "../../src/redis/link.ts";
import { type ClaimReply, runClaim } from "../../src/redis/scripts/claim.ts";
import { readDestinations } from "../../src/redis/scripts/destination.ts";
import { runAdopt, runRenew } from "../../src/redis/scripts/lease.ts";
import { runJoin } from "../../src/redis/scripts/settings.ts";
import { runFail } from "../../src/redis/scripts/settle.ts";
import { runRepair, runStatus, runSweep } from "../../src/redis/scripts/state.ts";
import type { Actor } from "./actor.ts";
import { KILLER, SPACE } from "./texts.ts";
import { FIELDS, LEASE_MS, SETTINGS, type World } from "./world.ts";
import { deadMarks, giveUp, settleWritten, writeEmbedded } from "./writing.ts";

/** Texts a claim: more than one, so that slots have neighbours to harm. */
const MAX_JOBS = 3;
/** Claims of one slot; more than a schedule has room for. */
const MAX_ROUNDS = 40;
/** Longer than any schedule: a retry is due when the schedule lets its backoff end. */
const BACKOFF_MS = LEASE_MS / 2;

export class WorkerProcess {
  readonly name: string;
  /** Its provider is always there, and it ends when nothing is due. */
  readonly isFinal: boolean;
  readonly slots: readonly Actor[];
  /** Entries that it knows it holds. Written by its slots. */
  readonly held = new Set<string>();
  /** Set by the schedule: hands back what it holds, and leaves. */
  isStopping = false;
  /** Set by the schedule: ends what it has begun, and claims no more. */
  isLeaving = false;
  readonly #usage = new Usage();
  readonly #world: World;
  readonly #crash: (process: WorkerProcess) => void;
  #busySlots = 0;
  #isClaiming = false;
  /** Suspects wait for a worker with nothing in flight: no claim until then. */
  #drains = false;
  /** A suspect is being tried: no claim beside it. */
  #isSolo = false;
  #slotsLeft = 2;

  constructor(
    world: World,
    name: string,
    options: { readonly isFinal: boolean; readonly crash: (process: WorkerProcess) => void },
  ) {
    this.#world = world;
    this.name = name;
    this.isFinal = options.isFinal;
    this.#crash = options.crash;
    this.slots = [1, 2].map((slot) => world.enter(`${name}.${slot}`, (actor) => this.#run(actor)));
  }

  /** Whether its lease of an entry is being kept. */
  readonly holds = (entryId: string): boolean => this.#isClaiming || this.held.has(entryId);

  get isAlive(): boolean {
    return this.slots.some((slot) => !slot.hasEnded);
  }

  async #run(actor: Actor): Promise<void> {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      if (this.isStopping || this.isLeaving) break;
      if (this.#isClaiming || this.#isSolo || (this.#drains && this.#busySlots > 0)) {
        await actor.idle();
        continue;
      }
      this.#isClaiming = true;
      const jobs = await this.#claim(actor.link);
      this.#isClaiming = false;
      if (jobs === undefined) {
        if (this.isFinal) return;
        await actor.idle();
        continue;
      }
      for (const { entryId } of jobs) this.held.add(entryId);
      if (jobs.length > 0) await this.#work(actor, jobs);
      for (const { entryId } of jobs) this.held.delete(entryId);
    }
    this.#slotsLeft--;
    if (this.isStopping && this.#slotsLeft === 0) {
      const deadAfterMs = this.#world.random.pick([0, LEASE_MS]);
      await runSweep(actor.link, this.name, deadAfterMs, this.#usage.take());
      this.#world.ledger.count("stopped");
    }
  }

  /** Jobs that are new to this process; undefined where nothing is due. */
  async #claim(link: Link): Promise<readonly Job[] | undefined> {
    const { random, ledger, misbehaviour } = this.#world;
    let reply: ClaimReply;
    try {
      reply = await runClaim(link, {
        worker: this.name,
        max: MAX_JOBS,
        isAlone: this.#busySlots === 0,
        reclaims: this.isFinal || random.chance(0.9),
        space: spaceTag(SPACE),
        usage: this.#usage.take(),
      });
      if (reply.isCounted) this.#usage.confirm();
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      if (misbehaviour === "forgetsLostClaims") return [];
      const adopted = await runAdopt(link, this.name, this.held);
      ledger.count("adopted", adopted.length);
      return this.#fresh(adopted);
    }
    if (reply.state === "settings") {
      await runJoin(link, SPACE, SETTINGS);
      return [];
    }
    this.#drains = reply.suspects > 0;
    if (reply.isDamaged) ledger.count("repaired", await runRepair(link));
    // A superseded entry whose newer text is settled looks like one that never had any work.
    const repairs = reply.repairs.filter((repair) => !repair.endsWith("without work removed"));
    if ((reply.isDamaged || repairs.length > 0) && ledger.damage === undefined) {
      ledger.report("needlessRepair", repairs.join(", "));
    }
    if (reply.state !== "work") return undefined;
    const jobs = this.#fresh(reply.jobs);
    this.#checkSuspects(jobs);
    return jobs;
  }

  /** Two lost deliveries make a suspect: nobody may be in its company when it is tried again. */
  #checkSuspects(jobs: readonly Job[]): void {
    const { mode, ledger } = this.#world;
    const suspect = jobs.find(({ kind, deliveries }) => kind !== "giveUp" && deliveries > 2);
    if (mode !== "killer" || suspect === undefined) return;
    if (jobs.length > 1 || this.#busySlots > 0) {
      ledger.report("notAlone", `${suspect.key} is tried beside others`);
    }
  }

  /** Its own lease that ran out may come back as a new delivery: the slot that has it goes on. */
  #fresh(jobs: readonly Job[]): readonly Job[] {
    return jobs.filter(({ entryId }) => !this.held.has(entryId));
  }

  async #work(actor: Actor, jobs: readonly Job[]): Promise<void> {
    const { link } = actor;
    const { random, ledger } = this.#world;
    const hasSolo = jobs.some(({ kind }) => kind === "solo");
    if (hasSolo && jobs.length > 1) {
      // Adopted together: each must be claimed again in its own right.
      await this.#park(link, jobs);
      return;
    }
    this.#busySlots++;
    this.#usage.add({ calls: 1, texts: jobs.length });
    if (hasSolo) {
      this.#isSolo = true;
      ledger.count("solo");
    }
    if (random.chance(0.5)) await runRenew(link, this.name, this.held);
    const toEmbed = await this.#withoutWritten(link, jobs);
    const killers = toEmbed.filter(({ kind, text }) => kind !== "giveUp" && text === KILLER);
    if (killers.length > 0) await this.#die(actor, killers);
    await actor.pause("embedding");
    const isAway = !this.isFinal && random.chance(0.15);
    if (this.isStopping || isAway) {
      ledger.count(isAway ? "outage" : "handed back");
      const isOver = ({ kind }: Job) => kind === "giveUp";
      await this.#park(
        link,
        toEmbed.filter((job) => !isOver(job)),
      );
      await this.#finish(link, toEmbed.filter(isOver));
    } else {
      await this.#finish(link, random.chance(0.2) ? await this.#wanted(link, toEmbed) : toEmbed);
    }
    this.#busySlots--;
    this.#isSolo = false;
  }

  /** Lets go of what is written already: only a crash kept it from being settled. */
  async #withoutWritten(link: Link, jobs: readonly Job[]): Promise<readonly Job[]> {
    const reclaimed = jobs.filter(({ kind, deliveries }) => kind !== "giveUp" && deliveries > 1);
    if (reclaimed.length === 0) return jobs;
    const stored = await readDestinations(link, FIELDS, reclaimed);
    const written = reclaimed.filter(({ version }, i) => {
      const { version: storedVersion = 0, status } = stored[i] ?? {};
      if (storedVersion !== version) return storedVersion > version;
      // A dead mark of the same version is not the end: its letter is still to be written.
      return status !== "dead" || this.#world.misbehaviour === "settlesDeadMarks";
    });
    await settleWritten(this.#world, link, written);
    return jobs.filter((job) => !written.includes(job));
  }

  /** As when the lease is not certain any more: renews, and drops what is another's and settled. */
  async #wanted(link: Link, jobs: readonly Job[]): Promise<readonly Job[]> {
    const lost = await runRenew(link, this.name, this.held);
    const keys = jobs.map(({ key }) => key);
    const outstanding = keys.length > 0 ? await runStatus(link, keys) : [];
    return jobs.filter(
      ({ entryId, version }, i) => !lost.includes(entryId) || outstanding[i] === version,
    );
  }

  /** The provider's verdicts, and what follows from them. */
  async #finish(link: Link, jobs: readonly Job[]): Promise<void> {
    const embedded: Job[] = [];
    const failed: Job[] = [];
    const dying: (Job & { reason: string })[] = [];
    for (const job of jobs) {
      if (job.kind === "giveUp") dying.push({ ...job, reason: "used up" });
      else if (job.text === "refused") dying.push({ ...job, reason: "refused" });
      else if (this.#fails(job.text)) failed.push(job);
      else embedded.push(job);
    }
    const failures = failed.map((job) => ({ ...job, spendsAttempt: true, backoffMs: BACKOFF_MS }));
    const results = failures.length > 0 ? await runFail(link, this.name, failures, false) : [];
    results.forEach(({ word }, i) => {
      this.#world.ledger.count(`fail ${word}`);
      if (word === "giveUp") dying.push({ ...(failed[i] as Job), reason: "failed" });
    });
    await this.#write(link, embedded);
    if (dying.length === 0) return;
    if (this.#world.misbehaviour === "givesUpBeforeMark") {
      await giveUp(this.#world, link, dying);
      await deadMarks(this.#world, link, dying);
    } else {
      await deadMarks(this.#world, link, dying);
      await giveUp(this.#world, link, dying);
    }
  }

  async #write(link: Link, jobs: readonly Job[]): Promise<void> {
    if (jobs.length === 0) return;
    if (this.#world.misbehaviour === "settlesBeforeWrite") {
      await settleWritten(this.#world, link, jobs);
      await writeEmbedded(this.#world, link, jobs);
    } else {
      await settleWritten(this.#world, link, await writeEmbedded(this.#world, link, jobs));
    }
  }

  #fails(text: string): boolean {
    return text === "bad" || (text === "flaky" && this.#world.random.chance(0.5));
  }

  /** Gives work back without a spent attempt, due at once. */
  async #park(link: Link, jobs: readonly Job[]): Promise<void> {
    if (jobs.length === 0) return;
    const failures = jobs.map((job) => ({ ...job, spendsAttempt: false, backoffMs: 0 }));
    await runFail(link, this.name, failures, true);
  }

  /** The provider library takes the process down with it. */
  async #die(actor: Actor, killers: readonly Job[]): Promise<void> {
    await actor.pause("killer");
    for (const killer of killers) this.#world.ledger.countDeath(killer);
    this.#crash(this);
    await new Promise(() => {});
  }
}

/** Whether a reply never came: then nobody knows whether the call was carried out. */
function isUnavailable(error: unknown): boolean {
  return error instanceof EmbedqError && error.code === "ERR_REDIS_UNAVAILABLE";
}
