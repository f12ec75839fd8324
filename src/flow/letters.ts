// Dead letters: read, sent back, removed.

import type { DeadLetter, SendBackResult } from "../model/outcome.ts";
import { readLetter, readLetters, removeLetters } from "../redis/deadletters.ts";
import type { Link } from "../redis/link.ts";
import { runSendBack } from "../redis/scripts/dead.ts";
import { type DestinationFields, lookAtDestinations } from "../redis/scripts/destination.ts";

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
  const [look] = await lookAtDestinations(link, fields, 0, [{ key: letter.key, digest: "" }]);
  return runSendBack(link, letterId, look?.storedVersion ?? 0);
}

export function deleteLetters(link: Link, letterIds: readonly string[]): Promise<number> {
  return removeLetters(link, letterIds);
}
