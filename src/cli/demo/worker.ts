// One worker process of the demo: drains the queue until its standard input ends, which it also
// does when the demo dies. Tells what it does on standard output, one JSON object a line.

import process from "node:process";
import { EmbeddingWorker } from "../../index.ts";
import { demoEmbedder } from "./embedder.ts";
import type { WorkerMessage } from "./workers.ts";

// By the environment: anybody may read the arguments of a process, and the URL may hold a password.
const { DEMO_REDIS = "", DEMO_QUEUE } = process.env;

const worker = new EmbeddingWorker({
  redis: DEMO_REDIS,
  name: DEMO_QUEUE,
  embedder: demoEmbedder(),
});
worker.on("batch:drained", ({ batchSize, calls, errorCount }) => {
  tell({ event: "batch", texts: batchSize - errorCount, calls });
});
worker.on("worker:failed", ({ action, error }) => {
  tell({ event: "trouble", what: `cannot ${action}: ${error.message}` });
});
worker.on("connection:lost", ({ error }) => {
  tell({ event: "trouble", what: `has lost Redis: ${error.message}` });
});

const isOver = new Promise<void>((resolve) => {
  process.stdin.on("end", resolve).on("close", resolve).resume();
});
await worker.start();
tell({ event: "ready" });
await isOver;
await worker.stop();

function tell(message: WorkerMessage): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
