// Hashes with a text and, where asked for, a vector: what is in a Redis before a walk begins.

import { FakeEmbedder } from "../helpers/embedder.ts";
import type { Scope } from "../helpers/scope.ts";

/** The model before and after the change: other numbers, and other dimensions. */
export const OLD: { model: string; dimensions: number } = { model: "old", dimensions: 4 };
export const NEW: { model: string; dimensions: number } = { model: "new", dimensions: 6 };

/** The keys `doc:0`, `doc:1`, …, each with a field `body`, and no vector. */
export async function writeBodies(scope: Scope, count: number, prefix = "doc"): Promise<string[]> {
  const keys = Array.from({ length: count }, (_, i) => `${prefix}:${i}`);
  await Promise.all(keys.map((key) => scope.client.hSet(key, "body", bodyOf(key))));
  return keys;
}

export function bodyOf(key: string): string {
  return `the body of ${key}`;
}

/** The same, with vectors of the old model. */
export async function writeLibrary(scope: Scope, count: number): Promise<string[]> {
  const keys = await writeBodies(scope, count);
  const queue = await scope.queue({ embedder: new FakeEmbedder(OLD) });
  await queue.enqueueMany(keys.map((key) => ({ key, text: bodyOf(key) })));
  await queue.flushAndWait();
  await queue.stop();
  return keys;
}

/** Makes the new model that of the queue, as its owner would. */
export async function changeModel(scope: Scope, model: object = NEW): Promise<void> {
  await using admin = await scope.queue();
  await admin.configure(model);
}

/** Which keys do not hold the vector of this text. */
export async function wrongVectors(
  scope: Scope,
  embedder: FakeEmbedder,
  keys: readonly string[],
  textOf: (key: string) => string = bodyOf,
): Promise<string[]> {
  const wrong: string[] = [];
  for (const key of keys) {
    const vector = await scope.vector(key);
    if (String(vector) !== String([...embedder.vectorOf(textOf(key))])) wrong.push(key);
  }
  return wrong;
}
