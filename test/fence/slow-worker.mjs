// A worker process in the middle of a provider call, which ends when the test says so: by the line
// "go", or, where a path is given, when that file exists; until then the event loop is blocked.

import { existsSync } from "node:fs";
import process from "node:process";
import { EmbeddingWorker } from "../../src/index.ts";
import { say, untilStopped } from "../runtimes/lines.mjs";

const [redis, name, vector = "[]", path] = process.argv.slice(2);
const numbers = JSON.parse(vector);

let go = () => {};
const told = new Promise((resolve) => {
  go = resolve;
});
const block = new Int32Array(new SharedArrayBuffer(4));

const worker = new EmbeddingWorker({
  redis,
  name,
  embedder: {
    model: "fake-1",
    dimensions: numbers.length,
    async embed(texts) {
      say("call", { texts });
      if (path === undefined) await told;
      else while (!existsSync(path)) Atomics.wait(block, 0, 0, 20);
      return texts.map(() => numbers);
    },
  },
});
worker.on("lease:lost", ({ keys }) => say("lost", { keys }));
worker.on("batch:drained", ({ status }) => say("drained", { status }));
await worker.start();
say("ready");
await untilStopped((line) => {
  if (line === "go") go();
});
await worker.stop();
