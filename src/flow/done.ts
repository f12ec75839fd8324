// Tells those who listen for the end of a key's work on a channel of its own, as an older system did.

import type { Link } from "../redis/link.ts";
import { runStatus } from "../redis/scripts/state.ts";

/** Says on the channel of each key that its work is done. Sent together: the client writes them in one go. */
export async function publishDone(
  link: Link,
  prefix: string,
  keys: readonly string[],
): Promise<void> {
  const channels = [...new Set(keys)].map((key) => prefix + key);
  await Promise.all(channels.map((channel) => link.send(["PUBLISH", channel, "1"])));
}

/** The same, of the keys for which nothing is outstanding: for the others it is said when that is done. */
export async function publishIfDone(
  link: Link,
  prefix: string,
  keys: readonly string[],
): Promise<void> {
  const versions = await runStatus(link, keys);
  await publishDone(
    link,
    prefix,
    keys.filter((_, i) => versions[i] === undefined),
  );
}
