// A worker process that calls Gemini, on loopback, under a rate budget.

import process from "node:process";
import { EmbeddingWorker } from "../../src/index.ts";
import { gemini } from "../../src/providers/index.ts";
import { say, untilStopped } from "../runtimes/lines.mjs";

const [redis, name, url, budget, worker] = process.argv.slice(2);

const embedder = gemini({
  apiKey: "AIzaTest0123456789abcdefghij",
  baseUrl: `${url}/v1beta`,
  outputDimensionality: 128,
  normalize: false,
  headers: { "x-worker": worker },
});
const own = new EmbeddingWorker({ redis, name, embedder, budget: JSON.parse(budget) });
await own.start();
say("ready");
await untilStopped();
await own.stop();
