// A helper process on Bun, Deno or Node, which talks in lines of JSON and dies with the test.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { until } from "../helpers/until.ts";

export const RUNTIMES = ["bun", "deno", "node"] as const;
export type Runtime = (typeof RUNTIMES)[number];

const ROOT = join(import.meta.dir, "../..");
const COMMANDS: Record<Runtime, readonly string[]> = {
  bun: [process.execPath],
  deno: [join(ROOT, "node_modules/.bin/deno"), "run", "-A", "--no-remote", "--quiet"],
  node: ["node"],
};

/** One line of a helper process: a word and what comes with it. */
export interface Message {
  readonly word: string;
  readonly [detail: string]: unknown;
}

export interface Helper extends AsyncDisposable {
  readonly pid: number;
  readonly messages: readonly Message[];
  /** Waits for the n-th line with this word, counted from 1. */
  hear(
    word: string,
    options?: { readonly timeoutMs?: number; readonly n?: number },
  ): Promise<Message>;
  /** Sends a line. */
  tell(line: string): void;
  signal(name: NodeJS.Signals): void;
  /** Tells it to stop, and returns its exit code. */
  stop(): Promise<number | null>;
}

/** @param cwd The folder whose `node_modules` the script imports from. */
export function startHelper(
  runtime: Runtime,
  script: string,
  args: readonly string[] = [],
  cwd: string = ROOT,
): Helper {
  const [command = "", ...flags] = COMMANDS[runtime];
  const child = spawn(command, [...flags, script, ...args], {
    cwd,
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, DENO_NO_UPDATE_CHECK: "1" },
  });
  leash(child);
  const messages: Message[] = [];
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  createInterface({ input: child.stdout }).on("line", (line) => {
    messages.push(JSON.parse(line) as Message);
  });
  child.stdin.on("error", () => {});
  // Counts as ended only when all its output was read.
  const ended = once(child, "close");
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;

  return {
    pid: child.pid ?? 0,
    messages,
    async hear(word, { timeoutMs = 20_000, n = 1 } = {}) {
      const find = () => messages.filter((message) => message.word === word)[n - 1];
      await until(() => find() !== undefined || hasEnded(), {
        what: `"${word}" from ${runtime}`,
        timeoutMs,
      });
      const found = find();
      if (found === undefined) throw new Error(`${runtime} ended before "${word}":\n${errors}`);
      return found;
    },
    tell(line) {
      child.stdin.write(`${line}\n`);
    },
    signal(name) {
      child.kill(name);
    },
    async stop() {
      child.stdin.write("stop\n");
      const [code] = (await ended) as [number | null];
      if (errors !== "") throw new Error(`${runtime} complained:\n${errors}`);
      return code;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      if (child.pid !== undefined) await ended;
    },
  };
}

/** Ends it also when this process dies without a chance to, and even if it is stopped then. */
function leash(child: ChildProcess): void {
  if (child.pid === undefined) return;
  const watcher = spawn("sh", ["-c", 'read -r _ || kill -9 "$0"', `${child.pid}`], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  watcher.unref();
  watcher.stdin.on("error", () => {});
  child.once("exit", () => watcher.stdin.end("\n"));
}
