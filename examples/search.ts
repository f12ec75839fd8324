// A search without a vector index: reads the vectors from the hashes and compares them here. Good for
// some ten thousand vectors; for more there is docs/guides/search.md.
//
//   bun examples/search.ts "what keeps order?"
//
// REDIS_URL names the Redis.

import process from "node:process";
import { EmbeddingQueue } from "embedq";
import { hashing } from "embedq/providers";

const [question = "what keeps order?"] = process.argv.slice(2);

// The embedder of the queue: a question must be embedded by the model of the documents.
const embedder = hashing({ dimensions: 256 });
const queue = new EmbeddingQueue({
  redis: process.env.REDIS_URL ?? "redis://127.0.0.1:6379",
  name: "archive",
  model: embedder.model,
  dimensions: embedder.dimensions,
});

await queue.start();
try {
  // Embedders of providers have embedQuery(), which says that it is a question.
  const [wanted] = await embedder.embed([question]);
  if (wanted === undefined) throw new Error("No vector came back");

  const best: { key: string; similarity: number }[] = [];
  for await (const { key, status, embedding } of queue.embeddings({ match: "article:*" })) {
    // A blank or dead text has a zero vector: it is near to nothing.
    if (status !== "embedded" || embedding === undefined) continue;
    best.push({ key, similarity: cosine(wanted, embedding) });
    best.sort((a, b) => b.similarity - a.similarity).splice(5);
  }
  for (const { key, similarity } of best) console.log(`${similarity.toFixed(3)}  ${key}`);
} finally {
  await queue.stop();
}

function cosine(a: Float32Array, b: Float32Array): number {
  let [product, lengthA, lengthB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x = 0, y = 0] = [a[i], b[i]];
    product += x * y;
    lengthA += x * x;
    lengthB += y * y;
  }
  return product / Math.sqrt(lengthA * lengthB);
}
