// Who takes part in a schedule: enters, dies, is told to stop, and leaves.

import type { Link } from "../../src/redis/link.ts";
import { Actor } from "./actor.ts";
import type { Log } from "./log.ts";
import type { Snapshot } from "./snapshot.ts";
import { WorkerProcess } from "./worker.ts";
import type { World } from "./world.ts";

export class Cast {
  readonly actors = new Set<Actor>();
  readonly processes = new Set<WorkerProcess>();
  readonly #producers = new Set<Actor>();
  readonly #world: World;
  readonly #log: Log;
  readonly #link: Link;
  readonly #snapshot: () => Snapshot;
  #spawned = 0;

  /** @param snapshot What Redis holds now: it tells what a dying process held. */
  constructor(world: World, log: Log, link: Link, snapshot: () => Snapshot) {
    this.#world = world;
    this.#log = log;
    this.#link = link;
    this.#snapshot = snapshot;
  }

  enter(name: string, body: (actor: Actor) => Promise<void>): Actor {
    const actor = new Actor(name, this.#link, body);
    this.actors.add(actor);
    return actor;
  }

  enterProducer(name: string, body: (actor: Actor) => Promise<void>): void {
    this.#producers.add(this.enter(name, body));
  }

  /** A new worker process; the final one has a provider that is always there. */
  spawn({ isFinal } = { isFinal: false }): WorkerProcess {
    const name = `worker${++this.#spawned}`;
    const process = new WorkerProcess(this.#world, name, {
      isFinal,
      crash: (dying) => this.crash(dying),
    });
    this.processes.add(process);
    return process;
  }

  /** Mostly somebody who has something to do. */
  pick(): Actor | undefined {
    const { random } = this.#world;
    const actors = [...this.actors];
    const busy = actors.filter((actor) => !actor.isIdle);
    return random.pick(busy.length > 0 && random.chance(0.8) ? busy : actors);
  }

  crash(process: WorkerProcess): void {
    const { ledger } = this.#world;
    this.#log.note(`${process.name} crashes`);
    ledger.count("crashes");
    this.processes.delete(process);
    for (const [id, { owner }] of this.#snapshot().pending) {
      if (owner === process.name) ledger.loseDelivery(id);
    }
    for (const slot of process.slots) {
      slot.end();
      this.leave(slot);
    }
  }

  crashWorker(): void {
    const process = this.#world.random.pick([...this.processes]);
    if (process !== undefined) this.crash(process);
  }

  crashProducer(): void {
    const producer = this.#world.random.pick([...this.#producers]);
    if (producer === undefined) return;
    this.#log.note(`${producer.name} crashes`);
    this.#world.ledger.count("producer crashes");
    producer.end();
    this.leave(producer);
  }

  stopWorker(): void {
    const process = this.#world.random.pick([...this.processes]);
    if (process === undefined) return;
    this.#log.note(`${process.name} is told to stop`);
    process.isStopping = true;
  }

  leave(actor: Actor): void {
    this.actors.delete(actor);
    this.#producers.delete(actor);
    for (const process of this.processes) {
      if (!process.isAlive) this.processes.delete(process);
    }
  }
}
