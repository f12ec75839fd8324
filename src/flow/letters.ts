// Dead letters: read, sent back, removed.

import type { BulkBounds, SendBackAllResult, SendBackCounts } from "../model/bulk.ts";
import type { DeadLetterQuery } from "../model/input.ts";
import type { DeadLetter, SendBackResult } from "../model/outcome.ts";
import { readLetter, readLetters, removeLetters } from "../redis/deadletters.ts";
import type { Link } from "../redis/link.ts";
import { runSendBack } from "../redis/scripts/dead.ts";
import { type DestinationFields, lookAtDestinations } from "../redis/scripts/destination.ts";
import { runStatus } from "../redis/scripts/state.ts";

/** Letters held at once, with their texts. */
const PAGE = 100;

/** Letters in order of age. */
export function listLetters(link: Link, query: DeadLetterQuery): Promise<readonly DeadLetter[]> {
  return readLetters(link, query);
}

/** Enqueues the text of a letter again, unless a newer text of its key is outstanding or written. */
export async function sendBackLetter(
  link: Link,
  fields: DestinationFields,
  letterId: string,
): Promise<SendBackResult> {
  const letter = await readLetter(link, letterId);
  if (letter === undefined) return { status: "absent" };
  const [result] = await sendBack(link, fields, [letter]);
  return result as SendBackResult;
}

/**
 * Sends every letter back that is there at the call, page by page, the newest first: so the newest
 * text of a key is the one that is enqueued, and what dies again meanwhile is not met again.
 */
export async function sendBackLetters(
  link: Link,
  fields: () => DestinationFields,
  { signal, onProgress }: BulkBounds<SendBackCounts>,
): Promise<SendBackAllResult> {
  const counts = { queued: 0, superseded: 0, absent: 0, malformed: 0 };
  let before: string | undefined;
  for (;;) {
    if (signal?.aborted) return { ...counts, done: false };
    const page = await readLetters(link, { before, newestFirst: true, limit: PAGE });
    if (page.length === 0) return { ...counts, done: true };
    for (const { status } of await sendBack(link, fields(), page)) counts[status]++;
    before = page.at(-1)?.id;
    await onProgress?.({ ...counts });
  }
}

/** In the order of the letters. */
async function sendBack(
  link: Link,
  fields: DestinationFields,
  letters: readonly DeadLetter[],
): Promise<readonly SendBackResult[]> {
  const keys = [...new Set(letters.flatMap(({ key }) => key ?? []))];
  // The queue first, the destination second, as in a wait: a newer text that is written and settled
  // between the two reads would otherwise not be seen by either.
  const outstanding = keys.length > 0 ? await runStatus(link, keys) : [];
  const asked = keys.map((key) => ({ key, digest: "" }));
  const looks = keys.length > 0 ? await lookAtDestinations(link, fields, 0, asked) : [];
  const newest = new Map(
    keys.map((key, i) => [key, Math.max(outstanding[i] ?? 0, looks[i]?.storedVersion ?? 0)]),
  );
  // Sent together: the client writes them in one go, and Redis runs them in order.
  return Promise.all(
    letters.map(async ({ id, key }): Promise<SendBackResult> => {
      if (key === undefined) return { status: "malformed" };
      return runSendBack(link, id, newest.get(key) ?? 0);
    }),
  );
}

export function deleteLetters(link: Link, letterIds: readonly string[]): Promise<number> {
  return removeLetters(link, letterIds);
}
