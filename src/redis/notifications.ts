// Keyspace notifications: the server-wide flags that make a write to a destination heard.

import { EmbedqError } from "../model/errors.ts";
import type { Link } from "./link.ts";
import { asFlatStrings } from "./replies.ts";

/** `K`: by key. `h`: for hash commands. `A` stands for all classes, `h` among them. */
const NEEDED = ["K", "h"];
const NAME = "notify-keyspace-events";

/**
 * Adds the needed flags to those that are set, and reads them back: two processes may do this at
 * once, and the flags of others must survive.
 *
 * @returns The flags as Redis tells them, in its own order.
 * @throws {EmbedqError} Where CONFIG is refused, or the flags do not stay.
 */
export async function enableNotifications(link: Link): Promise<string> {
  let flags = await readFlags(link);
  for (let attempt = 0; attempt < 3; attempt++) {
    const missing = missingIn(flags);
    if (missing.length === 0) return flags;
    await link.send(["CONFIG", "SET", NAME, flags + missing.join("")]);
    flags = await readFlags(link);
  }
  throw new EmbedqError(
    "ERR_REDIS_REPLY",
    `Cannot enable keyspace notifications as ${NAME} must contain ${NEEDED.join("")}: it is "${flags}" after it was set`,
  );
}

/** The flags that are set, and those that are needed and not set. */
export async function readNotifications(
  link: Link,
): Promise<{ readonly flags: string; readonly missing: readonly string[] }> {
  const flags = await readFlags(link);
  return { flags, missing: missingIn(flags) };
}

async function readFlags(link: Link): Promise<string> {
  return asFlatStrings(await link.send(["CONFIG", "GET", NAME]))[1] ?? "";
}

function missingIn(flags: string): string[] {
  return NEEDED.filter((flag) => !hasFlag(flags, flag));
}

function hasFlag(flags: string, flag: string): boolean {
  return flags.includes(flag) || (flag === "h" && flags.includes("A"));
}
