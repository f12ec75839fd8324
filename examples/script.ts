// A script that embeds a file of JSON lines and ends: { "key": "article:1", "text": "…" } in each.
//
//   bun examples/script.ts articles.jsonl
//
// The same without code: embedq enqueue articles.jsonl --wait, with a worker somewhere.
// REDIS_URL names the Redis.

import { createReadStream } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline";
import { EmbeddingQueue, type EnqueueItem } from "embedq";
import { hashing } from "embedq/providers";

const PAGE = 1000;
const MAX_PENDING = 10_000;

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error("Usage: script.ts <file.jsonl>");

const queue = new EmbeddingQueue({
  redis: process.env.REDIS_URL ?? "redis://127.0.0.1:6379",
  name: "archive",
  embedder: hashing({ dimensions: 256 }), // for trying out: put your provider here
});
queue.on("text:dead", ({ key, reason }) => console.warn(`${key} was given up: ${reason}`));

await queue.start();
try {
  let enqueued = 0;
  for await (const page of pagesOf(file)) {
    enqueued += (await queue.enqueueMany(page)).length;
    // No more in Redis than it should hold: wait for what is outstanding.
    if ((await queue.pendingCount()) > MAX_PENDING)
      await queue.flushAndWait({ timeoutMs: 600_000 });
  }
  const { done, remaining } = await queue.flushAndWait({ timeoutMs: 600_000 });
  const { dead } = await queue.stats();
  console.log(`${enqueued} texts, ${remaining} left, ${dead} dead letters`);
  if (!done) process.exitCode = 1;
} finally {
  await queue.stop();
}

/** The items of the file, some at a time: the file may be larger than the memory. */
async function* pagesOf(path: string): AsyncGenerator<EnqueueItem[]> {
  let page: EnqueueItem[] = [];
  for await (const line of createInterface({ input: createReadStream(path) })) {
    if (line.trim() === "") continue;
    page.push(JSON.parse(line) as EnqueueItem);
    if (page.length < PAGE) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}
