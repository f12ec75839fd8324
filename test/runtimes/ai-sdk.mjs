// One generation of the AI SDK on this runtime: what embedq's adapter and the SDK's own `embedMany`
// give, what refusals become, an abort, and the way of one text through a queue.

import process from "node:process";
import { EmbeddingQueue } from "embedq";
import { aiSdk } from "embedq/providers";
import { runtime, say, untilStopped } from "./lines.mjs";

const [redis, name, url, faultyUrl, apiKey, sdk, provider, faults] = process.argv.slice(2);

const { embedMany } = await import(sdk);
const { createOpenAI } = await import(provider);
const providerOptions = { openai: { dimensions: 64 } };
const options = { dimensions: 64, providerOptions };

/** @param {string} base @param {() => void} onCall Hears that a request is on its way. */
function modelAt(base, onCall = () => {}) {
  const call = (...request) => {
    const reply = fetch(...request);
    onCall();
    return reply;
  };
  const openai = createOpenAI({ baseURL: `${base}/v1`, apiKey, fetch: call });
  return openai.embedding("text-embedding-3-small");
}

const floats = (vectors) => vectors.map((vector) => [...Float32Array.from(vector)]);

const model = modelAt(url);
const values = ["Grüße", "世界 😀", "streams keep order"];
const ours = await aiSdk(model, options).embed(values);
const theirs = await embedMany({ model, values, providerOptions });
say("vectors", {
  runtime,
  specification: model.specificationVersion,
  values,
  ours: floats(ours.results),
  theirs: floats(theirs.embeddings),
  usage: ours.usage,
});

const errors = [];
for (let i = 0; i < Number(faults); i++) {
  await aiSdk(modelAt(faultyUrl), options)
    .embed(values)
    .catch(({ kind, scope, retryAfterMs = null }) => errors.push([kind, scope, retryAfterMs]));
}
say("errors", { errors });

const worker = new AbortController();
const reason = new Error("the worker stops");
const hanging = modelAt(faultyUrl, () => worker.abort(reason));
const error = await aiSdk(hanging, options)
  .embed(values, worker)
  .catch((thrown) => thrown);
say("aborted", { withReason: error === reason });

const queue = new EmbeddingQueue({
  redis,
  name,
  embedder: aiSdk(model, options),
  flushIntervalMs: 100,
});
await queue.start();
const ticket = await queue.enqueue("doc:1", values[0]);
const vector = await ticket.embedding({ timeoutMs: 20_000 });
await queue.flushAndWait();
say("done", { vector: [...vector] });
await untilStopped();
await queue.stop();
