// Runs the demo as a user does, in a process group of its own, and looks for what it leaves behind.

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { until } from "../helpers/until.ts";

const DEMO = join(import.meta.dirname, "../../scripts/demo.mjs");
/** The demo takes some seconds; a machine that is busy with other tests makes them more. */
const PATIENCE_MS = 60_000;

export interface DemoOptions {
  readonly args?: readonly string[];
  /** Beside the test's own environment, without its REDIS_URL. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A demo that runs; disposing of it kills what is left. */
export class Demo implements AsyncDisposable {
  readonly pid: number;
  output = "";
  complaint = "";
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #closed: Promise<unknown[]>;
  readonly #temporary: string;

  private constructor(temporary: string, { args = [], env = {} }: DemoOptions) {
    this.#temporary = temporary;
    const { REDIS_URL: _, ...inherited } = process.env;
    // Quiet: on a slow machine progress would be written to a log.
    this.#child = spawn("node", [DEMO, "--quiet", ...args], {
      env: { ...inherited, TMPDIR: temporary, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    this.pid = this.#child.pid ?? 0;
    this.#closed = once(this.#child, "close");
    this.#child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      this.output += chunk;
    });
    this.#child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      this.complaint += chunk;
    });
  }

  static async start(options: DemoOptions = {}): Promise<Demo> {
    return new Demo(await mkdtemp(join(tmpdir(), "embedq-demo-test-")), options);
  }

  /** Waits for the end; its exit code. */
  async end(): Promise<number | null> {
    const { exitCode } = this.#child;
    if (exitCode === null) await this.#closed;
    return this.#child.exitCode;
  }

  /** Waits until the demo has printed it; what the groups of the pattern matched. */
  async prints(pattern: RegExp): Promise<string[]> {
    const match = await until(() => pattern.exec(this.output), {
      what: `${pattern} in the output of the demo`,
      timeoutMs: PATIENCE_MS,
    });
    return match?.slice(1) ?? [];
  }

  /** To every process of the terminal, as Ctrl-C does. */
  signalAll(signal: NodeJS.Signals): void {
    process.kill(-this.pid, signal);
  }

  /** The processes that it says it has started. */
  async workerPids(): Promise<number[]> {
    return (await this.prints(/processes (\d+) and (\d+)/)).map(Number);
  }

  /** Fails unless all processes of the demo have ended and its temporary files are gone. */
  async leavesNothing(): Promise<void> {
    const pids = (/processes (\d+) and (\d+)/.exec(this.output)?.slice(1) ?? []).map(Number);
    const port = Number(/127\.0\.0\.1:(\d+), for this run only/.exec(this.output)?.[1] ?? 0);
    await until(() => !isAlive(-this.pid) && !pids.some(isAlive), {
      what: "the end of all processes of the demo",
    });
    if (port > 0 && (await answers(port))) throw new Error(`redis-server is still on port ${port}`);
    await until(async () => (await readdir(this.#temporary)).length === 0, {
      what: "an empty temporary folder",
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (isAlive(-this.pid)) this.signalAll("SIGKILL");
    await rm(this.#temporary, { recursive: true, force: true });
  }
}

/** Runs it to its end. */
export async function runDemo(options: DemoOptions): Promise<Demo> {
  const demo = await Demo.start(options);
  await demo.end();
  return demo;
}

/** A negative number stands for a process group. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
