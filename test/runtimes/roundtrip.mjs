// The whole way of one text in one process, with the package's own embedder.

import process from "node:process";
import { EmbeddingQueue, VERSION } from "embedq";
import { hashing } from "embedq/providers";
import { runtime, say, untilStopped } from "./lines.mjs";

const [redis, name, key, text] = process.argv.slice(2);

const queue = new EmbeddingQueue({
  redis,
  name,
  embedder: hashing({ dimensions: 64 }),
  flushIntervalMs: 100,
});
await queue.start();
const ticket = await queue.enqueue(key, text);
const vector = await ticket.embedding({ timeoutMs: 20_000 });
const flushed = await queue.flushAndWait();
say("done", { runtime, version: VERSION, vector: [...vector], flushed });
await untilStopped();
await queue.stop();
