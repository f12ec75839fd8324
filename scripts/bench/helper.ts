// Further processes of a scenario: workers, producers and a provider over HTTP. They talk in lines of JSON.

import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";

/** What a helper is told to be. */
export interface HelperOrder {
  readonly role: "work" | "produce" | "serve";
  /** Texts to enqueue. */
  readonly count?: number;
}

export interface Helper {
  /** What it said when it was ready. */
  readonly hello: Readonly<Record<string, unknown>>;
  /** Called with each number of settled texts. */
  onSettled: (count: number) => void;
  /** Tells it to stop and waits for its end. */
  close(): Promise<void>;
}

/** Starts this program again with another order, and waits until it is ready. */
export async function startHelper(order: object): Promise<Helper> {
  const [, script = ""] = process.argv;
  const child = spawn(process.execPath, [...runtimeFlags(), script, JSON.stringify(order)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(child, "close");
  child.stdin.on("error", () => {});
  const helper: Helper & { hello: Record<string, unknown> } = {
    hello: {},
    onSettled: () => {},
    async close() {
      child.stdin.end("stop\n");
      await ended;
    },
  };
  await new Promise<void>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => reject(new Error(`A helper process ended with ${code}`)));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const message = JSON.parse(line) as Record<string, unknown>;
      if (typeof message["settled"] === "number") helper.onSettled(message["settled"]);
      else {
        helper.hello = message;
        resolve();
      }
    });
  });
  return helper;
}

/** Says a line to the process that started this one. */
export function say(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

/** Until the process that started this one says so, or is gone. */
export async function untilToldToStop(): Promise<void> {
  const lines = createInterface({ input: process.stdin });
  await Promise.race([once(lines, "line"), once(lines, "close")]);
  lines.close();
  process.stdin.destroy();
}

function runtimeFlags(): readonly string[] {
  return "Deno" in globalThis ? DENO_FLAGS : "Bun" in globalThis ? [] : NODE_FLAGS;
}

/** A collection on demand, for scenarios that measure memory. */
export const NODE_FLAGS = ["--expose-gc"];
export const DENO_FLAGS = ["run", "-A", "--no-remote", "--quiet", "--v8-flags=--expose-gc"];
