// The whole way of one text with a client that is handed in, of the version that is named.

import process from "node:process";
import { EmbeddingQueue } from "embedq";
import { hashing } from "embedq/providers";
import { runtime, say, untilStopped } from "./lines.mjs";

const [url, name, version, key, text] = process.argv.slice(2);
const { createClient } = await import(version);

const client = createClient({ url });
client.on("error", () => {});
await client.connect();
const queue = new EmbeddingQueue({
  redis: client,
  name,
  embedder: hashing({ dimensions: 64 }),
  flushIntervalMs: 100,
});
await queue.start();
const ticket = await queue.enqueue(key, text);
const vector = await ticket.embedding({ timeoutMs: 20_000 });
const flushed = await queue.flushAndWait();
say("done", { runtime, vector: [...vector], flushed });
await untilStopped();
await queue.stop();
say("stopped", { isReady: client.isReady });
await client.disconnect();
