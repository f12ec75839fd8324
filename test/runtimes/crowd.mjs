// More calls at once than a signal may have listeners before Node warns; most of them wait for the budget.

import process from "node:process";
import { EmbeddingQueue } from "embedq";
import { say, untilStopped } from "./lines.mjs";

const [redis, name] = process.argv.slice(2);

let active = 0;
let peak = 0;
const queue = new EmbeddingQueue({
  redis,
  name,
  concurrency: 32,
  budget: { requestsPerMinute: 20, windowMs: 500 },
  embedder: {
    model: "crowd-1",
    dimensions: 1,
    limits: { maxItems: 1 },
    async embed(texts, { signal }) {
      // As a client does that makes its own requests for one call.
      const ignore = () => {};
      for (let i = 0; i < 20; i++) signal.addEventListener("abort", () => ignore(i));
      peak = Math.max(peak, ++active);
      await new Promise((resolve) => setTimeout(resolve, 50));
      active--;
      return texts.map(() => [1]);
    },
  },
});
let waits = 0;
queue.on("budget:exhausted", () => waits++);
await queue.start();
const items = Array.from({ length: 64 }, (_, i) => ({ key: `doc:${i}`, text: `text ${i}` }));
const tickets = await queue.enqueueMany(items);
const flushes = Array.from({ length: 20 }, () => queue.flushAndWait());
await Promise.all(tickets.map((ticket) => ticket.outcome()));
await Promise.all(flushes);
say("done", { peak, waits });
await untilStopped();
await queue.stop();
