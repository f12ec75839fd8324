// Resident memory of this process, and its peak.

import process from "node:process";

const SAMPLE_MS = 20;

/** After a full collection, where the runtime offers one. */
export function settledMemory(): number {
  const { gc, Bun: bun } = globalThis as { gc?: () => void; Bun?: { gc(force: boolean): void } };
  for (let i = 0; i < 3; i++) {
    gc?.();
    bun?.gc(true);
  }
  return process.memoryUsage().rss;
}

/** Looks again and again; `stop` gives the largest that was seen. */
export function watchMemory(): { stop(): number } {
  let peak = 0;
  const look = () => {
    peak = Math.max(peak, process.memoryUsage().rss);
  };
  look();
  const timer = setInterval(look, SAMPLE_MS);
  return {
    stop() {
      clearInterval(timer);
      look();
      return peak;
    },
  };
}
