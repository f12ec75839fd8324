// Taking all outstanding work away, beside workers and producers that go on.

import type { BulkBounds, PurgeProgress, PurgeResult } from "../model/bulk.ts";
import type { Link } from "../redis/link.ts";
import { runLast, runPurge, runPurgeLost } from "../redis/scripts/purge.ts";

/** Removes what was outstanding at the call, page by page. */
export async function purgeWork(
  link: Link,
  { signal, onProgress }: BulkBounds<PurgeProgress>,
): Promise<PurgeResult> {
  const { id, entries: total } = await runLast(link);
  let removed = 0;
  const report = () => onProgress?.({ removed, total: Math.max(total, removed) });
  for (let isLast = id === undefined; !isLast; ) {
    if (signal?.aborted) return { removed, done: false };
    const count = await runPurge(link, id ?? "");
    removed += count;
    isLast = count === 0;
    if (!isLast) await report();
  }
  let cursor = "0";
  do {
    if (signal?.aborted) return { removed, done: false };
    const page = await runPurgeLost(link, cursor);
    removed += page.removed;
    cursor = page.next;
    if (page.removed > 0) await report();
  } while (cursor !== "0");
  return { removed, done: true };
}
