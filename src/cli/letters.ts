// The dead letters of a moment, removed however many come or go meanwhile.

import type { EmbeddingQueue } from "../index.ts";

/** Letters that are removed at once. */
const PAGE = 500;

/** The newest letter that is there now; undefined where there is none. */
export async function newestLetter(queue: EmbeddingQueue): Promise<string | undefined> {
  const [newest] = await queue.deadLetters({ newestFirst: true, limit: 1 });
  return newest?.id;
}

/**
 * Removes the letters up to this one, which may itself be gone by then; those that come later stay.
 *
 * @returns How many.
 */
export async function removeLettersUpTo(
  queue: EmbeddingQueue,
  last: string | undefined,
  signal: AbortSignal,
): Promise<number> {
  let removed = 0;
  while (last !== undefined) {
    signal.throwIfAborted();
    const page = (await queue.deadLetters({ limit: PAGE })).map(({ id }) => id);
    const meant = page.filter((id) => !isAfter(id, last));
    if (meant.length > 0) removed += await queue.removeDeadLetters(meant);
    if (meant.length === 0 || meant.length < page.length) break;
  }
  return removed;
}

/** Whether the letter a was written after b. */
function isAfter(a: string, b: string): boolean {
  const [[aMs = 0n, aNumber = 0n], [bMs = 0n, bNumber = 0n]] = [partsOf(a), partsOf(b)];
  return aMs === bMs ? aNumber > bNumber : aMs > bMs;
}

function partsOf(id: string): bigint[] {
  return id.split("-").map(BigInt);
}
