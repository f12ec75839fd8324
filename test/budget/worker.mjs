// A worker process that calls a provider on loopback under a rate budget.

import process from "node:process";
import { EmbeddingWorker } from "../../src/index.ts";
import { say, untilStopped } from "../runtimes/lines.mjs";

const [redis, name, url, budget] = process.argv.slice(2);

const worker = new EmbeddingWorker({
  redis,
  name,
  budget: JSON.parse(budget),
  concurrency: 2,
  model: "fake-1",
  dimensions: 4,
  async embedder(texts, { signal }) {
    const response = await fetch(url, { method: "POST", body: JSON.stringify(texts), signal });
    if (!response.ok) throw Object.assign(new Error("over the budget"), { status: 429 });
    return response.json();
  },
});
await worker.start();
say("ready");
await untilStopped();
await worker.stop();
