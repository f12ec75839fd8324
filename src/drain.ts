// The worker's loop: claims work whenever some is due and a call can start, and sends each claim
// down the pipeline. It sleeps on the doorbell and a timer and never polls.
//
//   claim ──▶ work: into the pipeline (not awaited), then claim again while calls can start
//     └─────▶ nothing due: sleep until a ring, the time that the claim named, or the safety check

import { Agenda } from "./agenda.ts";
import { Doorbell } from "./doorbell.ts";
import { Endings } from "./endings.ts";
import { maxItemsOf } from "./flow/batch.ts";
import { type ClaimReply, Leases } from "./flow/claim.ts";
import { flushNow } from "./flow/flush.ts";
import { wasResumedWithin } from "./flow/settings.ts";
import { leaveGroup, repairQueue, sweepConsumers } from "./flow/tidy.ts";
import type { Embedder } from "./model/embedder.ts";
import { asError, EmbedderError, stoppedError } from "./model/errors.ts";
import type { Job } from "./model/job.ts";
import { delay } from "./model/lifecycle.ts";
import { ownController } from "./model/signals.ts";
import { type ClaimReason, Usage } from "./model/usage.ts";
import { Outlook, restMsOf } from "./outlook.ts";
import { Pauses } from "./pauses.ts";
import { Pipeline, type PipelineContext } from "./pipeline.ts";
import { Places } from "./places.ts";
import { Provider } from "./provider.ts";
import { Renewal } from "./renewal.ts";
import type { Session } from "./session.ts";
import { Sleeper } from "./sleeper.ts";

/** Claims tell what was counted; where none is needed, one is made for that, for all texts of this time. */
const TELL_USAGE_AFTER_MS = 100;

export class Drain {
  readonly worker: string = `worker-${crypto.randomUUID().slice(0, 13)}`;
  readonly #session: Session;
  readonly #provider: Provider;
  readonly #leases: Leases;
  readonly #pauses: Pauses;
  readonly #places: Places;
  readonly #stop = ownController();
  readonly #abort = ownController();
  readonly #sleeper = new Sleeper(this.#stop.signal);
  readonly #context: PipelineContext;
  readonly #doorbell: Doorbell;
  readonly #usage = new Usage();
  /** Claimed, and waiting for more texts to make a full call with. Written by begin(). */
  #heldBack: readonly Job[] = [];
  /** Claims on their way through the pipeline. Written by begin(), emptied by each at its end. */
  readonly #running = new Set<Promise<void>>();
  /** Pipelines whose results Redis does not take at the moment. */
  #blocked = 0;
  /** A text that may have killed its workers is under way: nothing beside it. */
  #isSolo = false;
  readonly #outlook: Outlook;
  #handedBack = 0;
  readonly #agenda = new Agenda();
  readonly #renewal: Renewal;
  #loop: Promise<void> = Promise.resolve();

  constructor(session: Session, embedder: Embedder) {
    const { link, settings, options, events } = session;
    this.#session = session;
    this.#leases = new Leases(link, this.worker, settings.leaseMs, (lost) => {
      events.emit("lease:lost", { worker: this.worker, keys: lost.map(({ key }) => key) });
    });
    this.#renewal = new Renewal(this.#leases, (error) => this.#report("renew", error));
    this.#pauses = new Pauses(this.worker, events, options.cooldown);
    this.#provider = new Provider(session, embedder, this.#pauses);
    this.#places = new Places(this.#provider.concurrency, () => this.#claimOn());
    this.#outlook = new Outlook(settings.maxBatchSize);
    this.#context = this.#makeContext();
    this.#doorbell = new Doorbell({
      session,
      leases: this.#leases,
      pauses: this.#pauses,
      sleeper: this.#sleeper,
      renewal: this.#renewal,
      agenda: this.#agenda,
      report: (action, error) => this.#report(action, error),
    });
  }

  /** Recovers what an earlier run left, then works until stop. */
  async start(): Promise<void> {
    await sweepConsumers(this.#session.link);
    try {
      await flushNow(this.#session.link);
    } catch (error) {
      // Out of memory, for instance: working on is what frees some.
      this.#report("flush", error);
    }
    this.#doorbell.listen();
    this.#renewal.start();
    this.#session.events.emit("worker:started", { worker: this.worker });
    this.#loop = this.#run();
  }

  /** Claims no more, lets calls in flight end within the stop timeout, and hands the rest back. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#places.open();
    await this.#loop;
    const { options, link, events } = this.#session;
    const idle = new AbortController();
    const settled = Promise.all(this.#running).then(() => idle.abort());
    await delay(options.stopTimeoutMs, idle.signal);
    this.#abort.abort();
    await settled;
    this.#renewal.stop();
    this.#doorbell.close();
    try {
      await leaveGroup(link, this.worker, this.#usage);
    } catch (error) {
      this.#report("leave", error);
    }
    events.emit("worker:stopped", { worker: this.worker, handedBack: this.#handedBack });
  }

  async #run(): Promise<void> {
    let failures = 0;
    while (!this.#stop.signal.aborted) {
      const mark = this.#sleeper.mark();
      let restMs: number;
      try {
        restMs = await this.#turn();
        failures = 0;
      } catch (error) {
        this.#report("claim", error);
        restMs = Math.min(5000, 100 * 2 ** failures++);
      }
      if (restMs > 0) await this.#sleeper.sleep(restMs, mark, this.#outlook.workers);
    }
    this.#beginHeldBack();
  }

  /** This worker can take more: it claims again, unless it knows that nothing is due. */
  #claimOn(): void {
    const isDone = this.#outlook.isCaughtUp && this.#heldBack.length === 0 && !this.#mustBeAlone;
    this.#sleeper.nudge(isDone ? TELL_USAGE_AFTER_MS : 0);
  }

  /** One claim, where one makes sense; how long to rest after it, in milliseconds. */
  async #turn(): Promise<number> {
    this.#outlook.isCaughtUp = false;
    if (this.#pauses.obstacle() !== undefined || this.#mustBeAlone) this.#beginHeldBack();
    const pauseMs = await this.#pauses.leftMs((ms) => wasResumedWithin(this.#session.link, ms));
    if (pauseMs > 0) return pauseMs;
    const adopted = await this.#leases.adopt();
    if (adopted !== undefined && adopted.length > 0) {
      this.#begin(adopted, false, "retry");
      return 0;
    }
    // Results of calls that are over are being stored: as many again, and no more.
    if (this.#running.size >= 2 * this.#provider.concurrency) return Number.POSITIVE_INFINITY;
    const max = this.#claimSize();
    // Holding back costs nothing while all places are taken. One that becomes free nudges, and then
    // a claim of nothing asks whether the queue is paused.
    const isWaiting = this.#heldBack.length === 0 || this.#places.free <= 0;
    if (max === 0 && isWaiting) return Number.POSITIVE_INFINITY;
    const askedAt = performance.now();
    const pauseMark = this.#pauses.mark();
    const { reclaims } = this.#agenda;
    const isAlone = this.#running.size === 0 && this.#heldBack.length === 0;
    const { space } = this.#provider;
    const order = { max, isAlone, reclaims, space, usage: this.#usage };
    const reply = await this.#leases.claim(order);
    this.#outlook.note(reply, max);
    const restMs = await this.#follow(reply, pauseMark);
    // What is held back begins with a claim that finds nothing to fill it up.
    if (restMs === 0 || (reply.jobs.length > 0 && this.#heldBack.length > 0)) return 0;
    if (max === 0) return Number.POSITIVE_INFINITY;
    return Math.max(1, Math.min(restMs, this.#agenda.restMs(askedAt, reclaims)));
  }

  /** How many texts to claim now: a whole batch that can start soon, or none. */
  #claimSize(): number {
    if (this.#isSolo || this.#blocked > 0) return 0;
    if (this.#mustBeAlone && this.#running.size > 0) return 0;
    const { limits, concurrency } = this.#provider;
    const items = maxItemsOf(limits.current);
    const size = Math.min(this.#outlook.maxBatchSize, concurrency * items);
    return this.#places.hasRoomFor(size / items, this.#outlook.isBacklogged) ? size : 0;
  }

  get #mustBeAlone(): boolean {
    return this.#outlook.hasSuspects || this.#pauses.isProbing;
  }

  async #follow(reply: ClaimReply, pauseMark: number): Promise<number> {
    const { events, link } = this.#session;
    for (const what of reply.repairs) events.emit("data:repaired", { what });
    if (reply.state === "paused") this.#returnHeldBack();
    else if (reply.jobs.length === 0) this.#beginHeldBack();
    else {
      // Redis' clock decides when a shared pause is over; ours may lag behind by a trip.
      this.#pauses.endShared(pauseMark);
      this.#begin(reply.jobs, reply.isProbe, reply.reason || "retry");
    }
    if (reply.isDamaged) {
      const count = await repairQueue(link);
      if (count > 0) events.emit("data:repaired", { what: `${count} texts without an entry` });
      // What was known before the repair says nothing of what is due now.
      if (count > 0) return 0;
    }
    if (reply.state === "settings") await this.#session.refresh();
    return restMsOf(reply);
  }

  /** Sends claimed jobs down the pipeline, with what was held back before them. */
  #begin(claimed: readonly Job[], isProbe: boolean, reason: ClaimReason, holdsBack = true): void {
    const jobs = [...this.#heldBack, ...claimed];
    const isSolo = claimed.some(({ kind }) => kind === "solo");
    const isMixed = isSolo && (jobs.length > 1 || this.#running.size > 0);
    const goesAlone = isProbe || this.#pauses.isProbing;
    if (isMixed) {
      // An adopted claim can hold a suspect beside others: all go back, to be handed out apart.
      this.#heldBack = [];
      this.#track(jobs, this.#giveBack(jobs, "A suspect text must be tried alone"), isSolo);
      return;
    }
    const pipeline = new Pipeline(this.#context, jobs, {
      isProbe,
      goesAlone,
      holdsBack,
      reason,
    });
    this.#heldBack = pipeline.heldBack;
    this.#track(pipeline.jobs, pipeline.run(), isSolo);
  }

  /** What was held back waits no longer. */
  #beginHeldBack(): void {
    if (this.#heldBack.length > 0) this.#begin([], false, "size", false);
  }

  /** While the queue is paused no call begins for what was held back, and nothing stays in flight. */
  #returnHeldBack(): void {
    const jobs = this.#heldBack;
    this.#heldBack = [];
    if (jobs.length > 0) this.#track(jobs, this.#giveBack(jobs, "The queue is paused"), false);
  }

  /** Sees a claim to its end. */
  #track(jobs: readonly Job[], ends: Promise<void>, isSolo: boolean): void {
    if (isSolo) this.#isSolo = true;
    const run = ends
      .catch((error: unknown) => {
        // The worker ends and Redis does not answer: the lease hands the texts on.
        this.#report("drain", error);
      })
      .finally(() => {
        this.#leases.release(jobs);
        this.#running.delete(run);
        if (isSolo) this.#isSolo = false;
        this.#claimOn();
      });
    this.#running.add(run);
  }

  #giveBack(jobs: readonly Job[], reason: string): Promise<void> {
    const error = new EmbedderError("unavailable", reason);
    const returns = jobs.map((job) => ({ status: "deferred" as const, job, error }));
    return new Endings(this.#context).giveBack(returns);
  }

  #makeContext(): PipelineContext {
    return {
      session: this.#session,
      space: this.#provider.space,
      leases: this.#leases,
      places: this.#places,
      usage: this.#usage,
      stopSignal: this.#stop.signal,
      abortSignal: this.#abort.signal,
      obstacle: () => (this.#stop.signal.aborted ? stoppedError() : this.#pauses.obstacle()),
      provider: this.#provider,
      onHandedBack: (count) => {
        this.#handedBack += count;
      },
      wakeIn: (ms) => {
        this.#agenda.expect(ms);
        this.#sleeper.nudge();
      },
      onBlocked: (isBlocked) => {
        this.#blocked += isBlocked ? 1 : -1;
        this.#sleeper.nudge();
      },
      report: (action, error) => this.#report(action, error),
    };
  }

  #report(action: string, error: unknown): void {
    this.#session.events.emit("worker:failed", {
      worker: this.worker,
      action,
      error: asError(error),
    });
  }
}
