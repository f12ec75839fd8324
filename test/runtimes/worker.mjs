// A worker process: its embedder is a plain function that asks an HTTP provider.

import process from "node:process";
import { EmbeddingWorker } from "embedq";
import { runtime, say, untilStopped } from "./lines.mjs";

const [redis, name, provider, dimensions] = process.argv.slice(2);

const worker = new EmbeddingWorker({
  redis,
  name,
  model: "counting-1",
  dimensions: Number(dimensions),
  flushIntervalMs: 500,
  async embedder(texts, { signal }) {
    const body = JSON.stringify({ worker: runtime, texts });
    const response = await fetch(provider, { method: "POST", body, signal });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    return await response.json();
  },
});
worker.on("worker:failed", ({ action, error }) => say("failed", { action, error: String(error) }));
await worker.start();
say("ready", { runtime });
await untilStopped();
await worker.stop();
