// Reading and removing dead letters: plain commands on the dead stream.

import type { DeadLetterQuery } from "../model/input.ts";
import type { DeadLetter } from "../model/outcome.ts";
import type { Link } from "./link.ts";
import { asFlatStrings, asList, asNumber, asText } from "./replies.ts";

/** Letters in order of age, at most `limit`, between the letters `after` and `before`. */
export async function readLetters(
  link: Link,
  { after, before, newestFirst = false, limit = 100 }: DeadLetterQuery,
): Promise<readonly DeadLetter[]> {
  const oldest = after === undefined ? "-" : `(${after}`;
  const newest = before === undefined ? "+" : `(${before}`;
  return newestFirst
    ? range(link, "XREVRANGE", newest, oldest, limit)
    : range(link, "XRANGE", oldest, newest, limit);
}

/** One letter, or undefined where it is not there. */
export async function readLetter(link: Link, id: string): Promise<DeadLetter | undefined> {
  return (await range(link, "XRANGE", id, id, 1))[0];
}

/** Removes letters for good; returns how many there were. */
export async function removeLetters(link: Link, ids: readonly string[]): Promise<number> {
  if (ids.length === 0) return 0;
  return asNumber(await link.send(["XDEL", link.keys.dead, ...ids]));
}

async function range(
  link: Link,
  command: "XRANGE" | "XREVRANGE",
  from: string,
  to: string,
  count: number,
): Promise<readonly DeadLetter[]> {
  const reply = await link.send([command, link.keys.dead, from, to, "COUNT", String(count)]);
  return asList(reply).map((entry) => {
    const [id, flat] = asList(entry);
    return toLetter(asText(id), asFlatStrings(flat));
  });
}

function toLetter(id: string, flat: readonly string[]): DeadLetter {
  const fields = new Map<string, string>();
  for (let at = 0; at < flat.length; at += 2) fields.set(flat[at] ?? "", flat[at + 1] ?? "");
  const version = fields.get("version");
  return {
    id,
    deadAt: Number(id.split("-", 1)[0]),
    reason: fields.get("reason") ?? "unknown",
    key: fields.get("key"),
    text: fields.get("text"),
    version: version === undefined ? undefined : Number(version),
    attempts: Number(fields.get("attempts") ?? 0),
    raw: fields.get("raw"),
  };
}
