// A producer process: enqueues its texts in several calls, waits for all tickets, tells the vectors.

import process from "node:process";
import { EmbeddingQueue } from "embedq";
import { runtime, say, untilStopped } from "./lines.mjs";

const [redis, name, prefix, count] = process.argv.slice(2);
const CALL = 150;

const queue = new EmbeddingQueue({ redis, name });
await queue.start();
const items = Array.from({ length: Number(count) }, (_, i) => ({
  key: `${prefix}:${i}`,
  text: `${prefix} text ${i}`,
}));
const calls = [];
for (let at = 0; at < items.length; at += CALL) calls.push(items.slice(at, at + CALL));
const tickets = (await Promise.all(calls.map((call) => queue.enqueueMany(call)))).flat();
const outcomes = await Promise.all(tickets.map((ticket) => ticket.outcome({ timeoutMs: 60_000 })));
say("done", {
  runtime,
  outcomes: outcomes.map(({ embedding, ...rest }) => ({ ...rest, vector: [...embedding] })),
});
await untilStopped();
await queue.stop();
