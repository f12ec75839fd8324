// One process, or one thread of it, that takes turns: production code runs in it unchanged, and
// each call of its link waits until the schedule carries it out. Between two calls it runs
// undisturbed, so one step of a schedule is one atomic call of Redis.

import type { Link } from "../../src/redis/link.ts";
import type { Reply } from "../../src/redis/replies.ts";

/** What an actor wants to do next. */
export interface Call {
  /** Name of the script or of the command; for a pause what it stands for. */
  readonly name: string;
  readonly args: readonly (string | Uint8Array)[];
  /** A pause is a step that does nothing in Redis. */
  readonly isPause: boolean;
  /** Whether the connection sends it again when its reply is lost. */
  readonly repeats: boolean;
  execute(): Promise<Reply>;
}

interface OpenCall extends Call {
  resolve(reply: Reply): void;
  reject(error: Error): void;
}

const IDLE = "idle";

export class Actor {
  readonly name: string;
  readonly link: Link;
  readonly #body: (actor: Actor) => Promise<void>;
  /** Written by the body when it wants something, cleared by the step that answers it. */
  #call: OpenCall | undefined;
  #hasStarted = false;
  #hasEnded = false;
  #error: unknown;
  /** Tells the step that the body is at rest again: it wants something, or it ended. */
  #onRest: () => void = () => {};

  constructor(name: string, link: Link, body: (actor: Actor) => Promise<void>) {
    this.name = name;
    this.#body = body;
    this.link = {
      keys: link.keys,
      run: (script, args, options) =>
        this.#want(script.name, args, options?.repeats, () => link.run(script, args, options)),
      runOn: (script, keys, args, options) =>
        this.#want(script.name, [...keys, ...args], options?.repeats, () =>
          link.runOn(script, keys, args, options),
        ),
      send: (args, options) =>
        this.#want(String(args[0]), args.slice(1), options?.repeats, () =>
          link.send(args, options),
        ),
    };
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** What the body threw. */
  get error(): unknown {
    return this.#error;
  }

  /** It has nothing to do for now. */
  get isIdle(): boolean {
    return this.#call?.name === IDLE;
  }

  /** Undefined before the start and after the end. */
  get call(): Call | undefined {
    return this.#call;
  }

  /** A step in which only others can act, such as a provider call. */
  async pause(name: string): Promise<void> {
    await this.#add({
      name,
      args: [],
      isPause: true,
      repeats: true,
      execute: () => Promise.resolve(null),
    });
  }

  /** A step without anything to do. */
  async idle(): Promise<void> {
    await this.pause(IDLE);
  }

  /** Begins; returns when the first call is wanted. */
  async start(): Promise<void> {
    if (this.#hasStarted) return;
    this.#hasStarted = true;
    await this.#run(() => {
      this.#body(this).then(
        () => this.end(),
        (error: unknown) => {
          this.#error = error;
          this.end();
        },
      );
    });
  }

  /** Hands a reply over; returns when the next call is wanted, or at the end. */
  async answer(reply: Reply): Promise<void> {
    const call = this.#take();
    await this.#run(() => call.resolve(reply));
  }

  /** As {@link answer}, for a call that fails. */
  async refuse(error: Error): Promise<void> {
    const call = this.#take();
    await this.#run(() => call.reject(error));
  }

  /** Ends here and now, as a crash does: what it wanted last is never answered. */
  end(): void {
    this.#hasEnded = true;
    this.#call = undefined;
    this.#onRest();
  }

  #want(
    name: string,
    args: readonly (string | Uint8Array)[],
    repeats: boolean | undefined,
    execute: () => Promise<Reply>,
  ): Promise<Reply> {
    return this.#add({ name, args, isPause: false, repeats: repeats !== false, execute });
  }

  #add(call: Call): Promise<Reply> {
    if (this.#call !== undefined) throw new Error(`${this.name} wants two things at once`);
    return new Promise((resolve, reject) => {
      this.#call = { ...call, resolve, reject };
      this.#onRest();
    });
  }

  #take(): OpenCall {
    if (this.#call === undefined) throw new Error(`${this.name} wants nothing`);
    const call = this.#call;
    this.#call = undefined;
    return call;
  }

  #run(begin: () => void): Promise<void> {
    return new Promise((resolve) => {
      this.#onRest = resolve;
      begin();
    });
  }
}
