// The worker processes: starting them, hearing what they do, and ending them in every case.

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { workerScript } from "./place.ts";
import { within } from "./within.ts";

const START_TIMEOUT_MS = 15_000;
/** Then a worker is killed; what it held is on Redis still. A call takes milliseconds. */
const STOP_TIMEOUT_MS = 10_000;
/** The same where the demo ends early: perhaps because there is no Redis any more. */
const HURRIED_STOP_TIMEOUT_MS = 1_000;

/** What a worker process says; one a line. */
export type WorkerMessage =
  | { readonly event: "ready" }
  | { readonly event: "batch"; readonly texts: number; readonly calls: number }
  | { readonly event: "trouble"; readonly what: string };

export interface WorkerHooks {
  readonly onTrouble: (line: string) => void;
  /** A worker has ended that should not. */
  readonly onLost: (error: Error) => void;
}

/** One process, with the counts of what it did. */
class WorkerProcess {
  readonly name: string;
  readonly pid: number;
  texts = 0;
  calls = 0;
  readonly ready: Promise<void>;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #closed: Promise<unknown>;
  #isStopping = false;

  constructor(name: string, env: NodeJS.ProcessEnv, { onTrouble, onLost }: WorkerHooks) {
    this.name = name;
    // In a group of its own: a terminal's Ctrl-C is for the demo, which then ends its workers.
    const child = spawn(process.execPath, workerArguments(), {
      env: { ...process.env, ...env },
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
    });
    this.#child = child;
    this.pid = child.pid ?? 0;
    this.#closed = once(child, "close");
    // It has ended; 'close' tells.
    child.stdin.on("error", () => {});

    let complaint = "";
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      complaint = (complaint + chunk).slice(-2000);
    });
    this.ready = new Promise<void>((resolve, reject) => {
      createInterface({ input: child.stdout }).on("line", (line) => {
        const message = JSON.parse(line) as WorkerMessage;
        if (message.event === "ready") resolve();
        else if (message.event === "batch") this.#count(message);
        else if (!this.#isStopping) onTrouble(`${name} ${message.what}`);
      });
      child.once("close", (code) => {
        const error = new Error(`${name} has ended with exit code ${code}: ${complaint.trim()}`);
        reject(error);
        if (!this.#isStopping) onLost(error);
      });
    });
    // Where nobody waits for it any more.
    this.ready.catch(() => {});
  }

  /** Lets it finish its batch, or kills it; over when the process has ended and all it said is heard. */
  async stop(timeoutMs: number): Promise<void> {
    this.#isStopping = true;
    this.#child.stdin.end();
    try {
      await within(this.#closed, timeoutMs, `Stopping ${this.name}`);
    } catch {
      this.#child.kill("SIGKILL");
      await this.#closed;
    }
  }

  #count({ texts, calls }: { texts: number; calls: number }): void {
    this.texts += texts;
    this.calls += calls;
  }
}

/** What comes behind the runtime's name: Deno has a word and flags before the script. */
function workerArguments(): string[] {
  const script =
    workerScript.protocol === "file:" ? fileURLToPath(workerScript) : workerScript.href;
  return "Deno" in globalThis ? ["run", "-A", "--quiet", script] : [script];
}

export class Workers {
  readonly each: readonly WorkerProcess[];

  private constructor(each: readonly WorkerProcess[]) {
    this.each = each;
  }

  /** Starts them and waits until they drain. */
  static async start(
    count: number,
    redis: string,
    queue: string,
    signal: AbortSignal,
    hooks: WorkerHooks,
  ): Promise<Workers> {
    const env = { DEMO_REDIS: redis, DEMO_QUEUE: queue };
    const each = Array.from(
      { length: count },
      (_, i) => new WorkerProcess(`worker ${i + 1}`, env, hooks),
    );
    const workers = new Workers(each);
    try {
      const ready = Promise.all(each.map((worker) => worker.ready));
      await within(ready, START_TIMEOUT_MS, "Starting the workers", signal);
      return workers;
    } catch (error) {
      await workers.abandon();
      throw error;
    }
  }

  /** Lets them finish what they hold. */
  async stop(timeoutMs: number = STOP_TIMEOUT_MS): Promise<void> {
    await Promise.all(this.each.map((worker) => worker.stop(timeoutMs)));
  }

  /** The same in a hurry; does nothing more where they have ended. */
  abandon(): Promise<void> {
    return this.stop(HURRIED_STOP_TIMEOUT_MS);
  }
}
