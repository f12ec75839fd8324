// Dead letters: read, sent back, removed.

import type { DeadLetter, SendBackResult } from "../model/outcome.ts";
import { readLetter, readLetters, removeLetters } from "../redis/deadletters.ts";
import type { Link } from "../redis/link.ts";
import { runSendBack } from "../redis/scripts/dead.ts";
import { type DestinationFields, lookAtDestinations } from "../redis/scripts/destination.ts";
import { runStatus } from "../redis/scripts/state.ts";

/** Letters from the oldest on. */
export function listLetters(
  link: Link,
  after: string | undefined,
  limit: number,
): Promise<readonly DeadLetter[]> {
  return readLetters(link, after, limit);
}

/** Enqueues the text of a letter again, unless a newer text of its key is outstanding or written. */
export async function sendBackLetter(
  link: Link,
  fields: DestinationFields,
  letterId: string,
): Promise<SendBackResult> {
  const letter = await readLetter(link, letterId);
  if (letter === undefined) return { status: "absent" };
  if (letter.key === undefined) return { status: "malformed" };
  // The queue first, the destination second, as in a wait: a newer text that is written and settled
  // between the two reads would otherwise not be seen by either.
  const [outstanding = 0] = await runStatus(link, [letter.key]);
  const [look] = await lookAtDestinations(link, fields, 0, [{ key: letter.key, digest: "" }]);
  return runSendBack(link, letterId, Math.max(outstanding, look?.storedVersion ?? 0));
}

export function deleteLetters(link: Link, letterIds: readonly string[]): Promise<number> {
  return removeLetters(link, letterIds);
}
