// Takes over what the Python module that embedq replaces has not embedded yet, step by step:
//
//   look ─▶ claim, as a worker of the module ─▶ enqueue as of the time of its enqueue ─▶ release
//
// A crash between two of them leaves the text in the module's hands, in embedq's, or in both: then it
// is recognised by its version. Who enqueues it again meanwhile is newer, here and there.

import {
  readMember,
  type TakeOverPlan,
  type TakeOverProblem,
  type TakeOverProgress,
  type TakeOverResult,
  versionOfScore,
} from "../model/takeover.ts";
import type { ReadText } from "../model/walk.ts";
import type { Link } from "../redis/link.ts";
import { runReserve } from "../redis/scripts/reserve.ts";
import { runFlush } from "../redis/scripts/state.ts";
import {
  claimFromModule,
  lookAtModule,
  type ModuleKeys,
  type ModuleMember,
  type ModuleSet,
  releaseFromModule,
  sweepTaken,
} from "../redis/scripts/takeover.ts";

/** How many malformed members are told of. */
const MAX_PROBLEMS = 10;

export interface TakeOverStage {
  readonly link: Link;
  /** As it is known now. */
  maxBatchSize(): number;
  /** Enqueues texts as of the version given with each; returns how many were new. */
  enqueue(texts: readonly ReadText[]): Promise<number>;
  /** Raised when the queue object stops. */
  readonly stopSignal: AbortSignal;
}

interface ReadMember extends ModuleMember {
  readonly text: string;
}

export class TakeOver {
  readonly #stage: TakeOverStage;
  readonly #plan: TakeOverPlan;
  readonly #module: ModuleKeys;
  /** Of each set, as its last pass found them. */
  readonly #malformed: Record<ModuleSet, number> = { pending: 0, inflight: 0 };
  readonly #problems: Record<ModuleSet, TakeOverProblem[]> = { pending: [], inflight: [] };
  #enqueued = 0;
  #known = 0;
  #superseded = 0;

  constructor(stage: TakeOverStage, plan: TakeOverPlan) {
    this.#stage = stage;
    this.#plan = plan;
    const { prefix, inFlightAfterMs } = plan;
    const owner = crypto.randomUUID();
    this.#module = { link: stage.link, prefix, ageSeconds: inFlightAfterMs / 1000, owner };
  }

  async run(): Promise<TakeOverResult> {
    const { stopSignal } = this.#stage;
    try {
      const done = await this.#takeAll();
      const { young } = await lookAtModule(this.#module, "inflight", 0, 0);
      return { ...this.#progress(), left: young, done };
    } catch (error) {
      // A stop cuts the connection under a command: the stop is the reason.
      stopSignal.throwIfAborted();
      throw error;
    }
  }

  /** False where the caller's signal ended it. */
  async #takeAll(): Promise<boolean> {
    // Orphans are older than what waits.
    const done = (await this.#empty("inflight")) && (await this.#empty("pending"));
    if (done) await sweepTaken(this.#module);
    // What was enqueued is one work: its last batch, which is not full, does not wait for the timer.
    if (this.#enqueued >= this.#stage.maxBatchSize()) await runFlush(this.#stage.link);
    return done;
  }

  async #empty(set: ModuleSet): Promise<boolean> {
    for (;;) {
      let taken = 0;
      /** Malformed members, which stay: the next step begins after them. */
      let passed = 0;
      this.#malformed[set] = 0;
      this.#problems[set] = [];
      for (;;) {
        if (this.#isOver()) return false;
        const { members } = await lookAtModule(this.#module, set, passed, this.#plan.chunkSize);
        if (members.length === 0) break;
        const good = this.#read(set, members);
        passed += members.length - good.length;
        this.#malformed[set] = passed;
        taken += await this.#take(set, good);
        await this.#plan.onProgress?.(this.#progress());
      }
      // Where the module removed some of those passed over, others have moved into their places.
      if (passed === 0 || taken === 0) return true;
    }
  }

  #read(set: ModuleSet, members: readonly Uint8Array[]): readonly ReadMember[] {
    const good: ReadMember[] = [];
    for (const member of members) {
      const found = readMember(member, this.#stage.link.keys.reservedPrefix);
      if (!("reason" in found)) good.push({ member, ...found });
      else if (this.#problems[set].length < MAX_PROBLEMS) {
        this.#problems[set].push({ where: set, reason: found.reason });
      }
    }
    return good;
  }

  /** One step; returns how many members it removed from where they were. */
  async #take(set: ModuleSet, members: readonly ReadMember[]): Promise<number> {
    if (members.length === 0) return 0;
    const { version } = await runReserve(this.#stage.link);
    const claims = await claimFromModule(this.#module, set, members);
    const taken = members
      .map((member, i) => ({ ...member, ...(claims[i] as (typeof claims)[number]) }))
      .filter(({ word }) => word === "taken")
      .map((member) => ({ ...member, reserved: versionOfScore(member.since, version) }))
      // Of two texts of one key the newer one comes last.
      .sort((a, b) => a.reserved - b.reserved);
    const superseded = claims.filter(({ word }) => word === "superseded").length;
    this.#superseded += superseded;
    if (taken.length === 0) return superseded;
    const enqueued = await this.#stage.enqueue(
      taken.map(({ key, text, reserved }) => ({ key, text, reserved })),
    );
    this.#enqueued += enqueued;
    this.#known += taken.length - enqueued;
    await releaseFromModule(this.#module, taken);
    return taken.length + superseded;
  }

  #isOver(): boolean {
    this.#stage.stopSignal.throwIfAborted();
    return this.#plan.signal?.aborted ?? false;
  }

  #progress(): TakeOverProgress {
    return {
      enqueued: this.#enqueued,
      known: this.#known,
      superseded: this.#superseded,
      malformed: this.#malformed.pending + this.#malformed.inflight,
      problems: [...this.#problems.inflight, ...this.#problems.pending].slice(0, MAX_PROBLEMS),
    };
  }
}
