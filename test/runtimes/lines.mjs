// How a helper process talks to its test: lines of JSON out, plain lines in.

import process from "node:process";
import { createInterface } from "node:readline";

export const runtime = "Deno" in globalThis ? "deno" : "Bun" in globalThis ? "bun" : "node";

/** @param {string} word @param {object} details */
export function say(word, details = {}) {
  process.stdout.write(`${JSON.stringify({ word, ...details })}\n`);
}

/**
 * Ends when the test says "stop"; the process ends at once if the test is gone.
 *
 * @param {(line: string) => void} onLine Hears every other line.
 */
export async function untilStopped(onLine = () => {}) {
  const lines = createInterface({ input: process.stdin });
  for await (const line of lines) {
    if (line !== "stop") {
      onLine(line);
      continue;
    }
    lines.close();
    // Nothing of ours keeps the process alive from here on.
    process.stdin.destroy();
    return;
  }
  process.exit(1);
}
