// embedq as its user gets it: the built package, with default options where a scenario says nothing else.

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Closable, Contender, Producer, Setup } from "../contender.ts";

type Embedq = typeof import("../../../src/index.ts");

const MODEL = "bench";

/** @param skipUnchanged Whether the producer looks whether a text's vector is stored already. */
export function embedq(skipUnchanged: boolean): Contender {
  return {
    settings: `skipUnchanged ${skipUnchanged}, else the defaults`,
    stores: true,
    produce: (setup) => produce(setup, skipUnchanged),
    async work({ root, url, vectors, batchSize, concurrency }, provider, onSettled) {
      const { EmbeddingWorker } = await loadEmbedq(root);
      const worker = new EmbeddingWorker({
        redis: url,
        name: "bench",
        concurrency,
        maxBatchSize: batchSize,
        embedder: {
          model: MODEL,
          dimensions: vectors.dimensions,
          limits: { maxItems: batchSize },
          embed: (texts) => provider(texts),
        },
      });
      worker.on("batch:drained", (batch) => {
        if (batch.error !== undefined) throw batch.error;
        onSettled(batch.batchSize - batch.errorCount);
      });
      worker.on("listener:failed", ({ error }) => console.error(error));
      worker.on("worker:failed", ({ error }) => console.error(error));
      await worker.start();
      return { close: () => worker.stop() } satisfies Closable;
    },
  };
}

function loadEmbedq(root: string): Promise<Embedq> {
  const built = pathToFileURL(join(root, "dist/index.js")).href;
  return import(built) as Promise<Embedq>;
}

async function produce(setup: Setup, skipUnchanged: boolean): Promise<Producer> {
  const { EmbeddingQueue } = await loadEmbedq(setup.root);
  const queue = new EmbeddingQueue({
    redis: setup.url,
    name: "bench",
    maxBatchSize: setup.batchSize,
    model: MODEL,
    dimensions: setup.vectors.dimensions,
    skipUnchanged,
  });
  await queue.start();
  return {
    async enqueueMany(items) {
      await queue.enqueueMany(items);
    },
    async enqueue({ key, text }) {
      await queue.enqueue(key, text);
    },
    outstanding: () => queue.pendingCount(),
    async enqueueAndWait({ key, text }) {
      const ticket = await queue.enqueue(key, text);
      return ticket.embedding();
    },
    async prepareWaits(items) {
      const tickets = await queue.enqueueMany(items);
      return () => tickets.map((ticket) => ticket.embedding());
    },
    close: () => queue.stop(),
  };
}
