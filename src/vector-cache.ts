// Vectors that the cache in Redis holds, in the place of calls. Whatever goes wrong is told, and costs
// a call at most.

import { type CacheStage, readCache, writeCache } from "./flow/cache.ts";
import type { EmbeddedJob } from "./flow/write.ts";
import type { EventEmitter } from "./model/events.ts";
import type { Job, JobResult } from "./model/job.ts";

export class VectorCache {
  readonly #stage: CacheStage;
  readonly #events: EventEmitter;

  constructor(stage: CacheStage, events: EventEmitter) {
    this.#stage = stage;
    this.#events = events;
  }

  /** Those of the jobs whose text's vector is kept, with it. */
  async find(jobs: readonly Job[]): Promise<readonly EmbeddedJob[]> {
    if (jobs.length === 0) return [];
    const texts = [...new Set(jobs.map(({ text }) => text))];
    const { vectors, error } = await readCache(this.#stage, texts);
    this.#tell(error);
    const vectorOf = new Map(texts.map((text, i) => [text, vectors[i]]));
    return jobs
      .map((job) => ({ job, vector: vectorOf.get(job.text) }))
      .filter(({ vector }) => vector !== undefined);
  }

  /** Keeps what a call has brought; not the vectors of texts that were cut, which others may want whole. */
  async keep(results: readonly JobResult[]): Promise<void> {
    const vectorOf = new Map<string, Uint8Array>();
    for (const result of results) {
      if (result.status !== "embedded" || result.sent !== result.job.text) continue;
      vectorOf.set(result.job.text, result.vector);
    }
    const pairs = [...vectorOf].map(([text, vector]) => ({ text, vector }));
    const { error } = await writeCache(this.#stage, pairs);
    this.#tell(error);
  }

  #tell(error: Error | undefined): void {
    if (error !== undefined) this.#events.emit("cache:failed", { error });
  }
}
