// A worker of its own: works until it is told to end, then stops in order.
//
//   bun examples/worker.ts
//
// REDIS_URL names the Redis.

import process from "node:process";
import { EmbeddingWorker } from "embedq";
import { hashing } from "embedq/providers";

const worker = new EmbeddingWorker({
  redis: process.env.REDIS_URL ?? "redis://127.0.0.1:6379",
  name: "articles",
  flushIntervalMs: 200, // a setting of the queue: the same in all its processes, here web-server.ts
  embedder: hashing({ dimensions: 256 }), // for trying out: put your provider here
  stopTimeoutMs: 10_000,
});

worker.on("batch:drained", ({ batchSize, calls, durationMs }) => {
  console.log(`${batchSize} texts in ${calls} calls, ${Math.round(durationMs)} ms`);
});
worker.on("text:dead", ({ key, reason }) => console.warn(`${key} was given up: ${reason}`));
worker.on("worker:paused", ({ error, pauseMs }) => {
  console.warn(`No calls for ${pauseMs} ms: ${error.message}`);
});
worker.on("cooldown:started", ({ error, pauseMs }) => {
  console.warn(`All workers pause for ${pauseMs} ms: ${error.message}`);
});
worker.on("worker:failed", ({ action, error }) => console.warn(`${action}: ${error.message}`));

// A second signal while it stops is left to the runtime: it ends the process at once.
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, () => {
    worker.stop().then(
      () => console.log("stopped"),
      (error: unknown) => {
        console.error(error);
        process.exitCode = 1;
      },
    );
  });
}

await worker.start();
console.log("ready");
