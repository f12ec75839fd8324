// An embedding model of the Vercel AI SDK as the embedder: the queue makes its calls full, meets its
// rate limits and repeats what fails.
//
//   bun add @ai-sdk/openai
//   OPENAI_API_KEY=… bun examples/ai-sdk.ts
//
// REDIS_URL names the Redis.

import process from "node:process";
import { openai } from "@ai-sdk/openai";
import { EmbeddingQueue } from "embedq";
import { aiSdk } from "embedq/providers";

const queue = new EmbeddingQueue({
  redis: process.env.REDIS_URL ?? "redis://127.0.0.1:6379",
  name: "articles-openai", // another model, another queue
  embedder: aiSdk(openai.embedding("text-embedding-3-small")),
  maxBatchSize: 2048,
});

const total = { calls: 0, tokens: 0 };
queue.on("batch:drained", ({ calls, tokens }) => {
  total.calls += calls;
  total.tokens += tokens;
});

await queue.start();
try {
  const tickets = await queue.enqueueMany([
    { key: "article:1", text: "Streams keep their entries in order" },
    { key: "article:2", text: "A consumer group hands each entry to one consumer" },
  ]);
  await queue.flushNow();
  for (const ticket of tickets) {
    const embedding = await ticket.embedding({ timeoutMs: 60_000 });
    console.log(`${ticket.key}: ${embedding.length} numbers`);
  }
} finally {
  await queue.stop();
}
console.log(`${total.calls} call, ${total.tokens} tokens`);
