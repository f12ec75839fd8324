// Builders shared by the unit tests: jobs, embedders, and a look at a promise that does not wait.

import { setImmediate as nextTurn } from "node:timers/promises";
import type { Batch, Slot } from "../../src/model/batch.ts";
import type { Embedder, EmbedFunction } from "../../src/model/embedder.ts";
import type { Job } from "../../src/model/job.ts";

/** The i-th claimed job; `changes` say what matters to the test. */
export function job(i: number, changes: Partial<Job> = {}): Job {
  return {
    kind: "embed",
    entryId: `1700000000000-${i}`,
    key: `doc:${i}`,
    version: 1000 + i,
    text: `text ${i}`,
    attempts: 0,
    deliveries: 1,
    ...changes,
  };
}

/** One job for each text, in order. */
export function jobsOf(texts: readonly string[], changes: Partial<Job> = {}): Job[] {
  return texts.map((text, i) => job(i, { text, ...changes }));
}

/** `text 0`, `text 1`, …: distinct texts that carry their place. */
export function numberedTexts(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `text ${i}`);
}

/** The place that a numbered text carries. */
export function placeOf(text: string): number {
  return Number(text.slice("text ".length));
}

/** A batch with one slot for each job. */
export function batchOf(jobs: readonly Job[]): Batch {
  return { slots: jobs.map((one) => slotOf(one.text, [one])) };
}

/** A slot of one token. */
export function slotOf(text: string, jobs: readonly Job[]): Slot {
  return { text, tokens: 1, bytes: text.length, jobs, pieces: [] };
}

/** An embedder around a function. */
export function embedderOf(embed: EmbedFunction, dimensions = 1): Embedder {
  return { model: "fake-1", dimensions, embed };
}

/** The numbers in little-endian float32 bytes, written without the code under test. */
export function bytesOf(...numbers: number[]): Uint8Array {
  const bytes = new Uint8Array(numbers.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [i, number] of numbers.entries()) view.setFloat32(i * 4, number, true);
  return bytes;
}

/** What the function threw. */
export function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

/** Whether a promise is settled once everything that is ready has run; no timer is waited for. */
export async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const settle = () => {
    settled = true;
  };
  promise.then(settle, settle);
  for (let turn = 0; turn < 3; turn++) await nextTurn();
  return settled;
}
