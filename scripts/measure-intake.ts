// Measures `embedq enqueue -`: lines a second, and the most memory that the process had resident, for
// inputs of several lengths through a pipe. Linux only, as it reads /proc. Starts a Redis of its own.
// Run: bun scripts/measure-intake.ts [lines …]

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { startRedis } from "../test/helpers/redis.ts";

const ROOT = join(import.meta.dirname, "..");
const RUNTIMES = {
  "Bun on the sources": ["bun", join(ROOT, "src/cli/main.ts")],
  "Node on the build": ["node", join(ROOT, "dist/cli.js")],
} as const;
/** Lines that are written at once. */
const BLOCK = 1000;
const SAMPLE_EVERY_MS = 20;

const lengths = process.argv.slice(2).map(Number);
for (const [runtime, [program, main]] of Object.entries(RUNTIMES)) {
  if (!existsSync(main)) {
    console.log(`${runtime}: not there (npm run build)`);
    continue;
  }
  let smallest: number | undefined;
  for (const lines of lengths.length > 0 ? lengths : [100_000, 1_000_000]) {
    const { seconds, peakMib } = await measure(program, main, lines);
    smallest ??= peakMib;
    const rate = Math.round(lines / seconds).toLocaleString("en-US");
    const times = (peakMib / smallest).toFixed(2);
    console.log(
      `${runtime}: ${lines} lines, ${rate} lines/s, peak ${peakMib.toFixed(1)} MiB (× ${times})`,
    );
  }
}

async function measure(program: string, main: string, lines: number) {
  const redis = await startRedis();
  try {
    const args = [main, "enqueue", "-", "--redis", redis.url, "--quiet"];
    const child = spawn(program, args, { stdio: ["pipe", "ignore", "inherit"] });
    const startedAt = performance.now();
    const peak = watchPeak(child);
    await feed(child, lines);
    const [code] = (await once(child, "exit")) as [number];
    const seconds = (performance.now() - startedAt) / 1000;
    if (code !== 0) throw new Error(`enqueue ended with ${code}`);
    return { seconds, peakMib: peak.stop() };
  } finally {
    await redis.stop();
  }
}

/** Writes at the reader's pace: about 200 bytes a line, no two alike. */
async function feed({ stdin }: ChildProcess, lines: number): Promise<void> {
  if (stdin === null) throw new Error("the child has no standard input");
  for (let at = 0; at < lines; at += BLOCK) {
    let block = "";
    for (let i = at; i < Math.min(lines, at + BLOCK); i++) {
      const text = `Text ${i} says that streams keep their order, ${"and so on, ".repeat(10)}${i}`;
      block += `${JSON.stringify({ key: `doc:${i}`, text })}\n`;
    }
    if (!stdin.write(block)) await once(stdin, "drain");
  }
  stdin.end();
}

/** The kernel's own high-water mark, looked at until the process is gone. */
function watchPeak({ pid }: ChildProcess): { stop(): number } {
  let peakKib = 0;
  const look = () => {
    try {
      const status = readFileSync(`/proc/${pid}/status`, "utf8");
      peakKib = Math.max(peakKib, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0));
    } catch {
      // It is gone.
    }
  };
  const timer = setInterval(look, SAMPLE_EVERY_MS);
  return {
    stop: () => {
      clearInterval(timer);
      return peakKib / 1024;
    },
  };
}
