// Takes all outstanding work away, in pages: each entry with what it stands for, and then what has lost
// its entry. Only shrinks, so that it works when Redis is out of memory.

import type { Link } from "../link.ts";
import { asList, asNumber, asText } from "../replies.ts";
import { JOBS_IN_LUA } from "./jobs.ts";
import { queueScript, type Script } from "./script.ts";

/** Entries, or fields of dedup, that one call looks at. */
const PAGE = 250;

// Output: { the last entry or '' where there is none, entries }
const LAST: Script = queueScript(
  "last",
  String.raw`return { lastEntryId() or '', redis.call('XLEN', PENDING) }`,
);

// Input: ARGV the last entry to go
// Output: entries removed; 0 where none is left. Work whose key has another entry by now stays under
//   that one, and a damaged field goes with its entry.
const PURGE: Script = queueScript(
  "purge",
  String.raw`
${JOBS_IN_LUA}
local page = redis.call('XRANGE', PENDING, '-', ARGV[1], 'COUNT', ${PAGE})
for _, entry in ipairs(page) do
  local key = keyOf(entry)
  local live = key and liveWork(key)
  local isElsewhere = live and live.id ~= entry[1] and entryOf(live.id)
  if key and not isElsewhere then
    redis.call('HDEL', DEDUP, key)
    redis.call('HDEL', RETRIES, key)
    ring('gone ' .. key)
  end
  removeEntry(entry[1])
end
ringIfFlushed()
return #page
`,
);

// Input: ARGV HSCAN cursor, '0' at first
// Output: { next cursor, fields removed }. Work with an entry stays.
const PURGE_LOST: Script = queueScript(
  "purgeLost",
  String.raw`
local removed = 0
local page = redis.call('HSCAN', DEDUP, ARGV[1], 'COUNT', ${PAGE})
for i = 1, #page[2], 2 do
  local key, live = page[2][i], parseDedup(page[2][i + 1])
  if not live or not entryOf(live.id) then
    redis.call('HDEL', DEDUP, key)
    redis.call('HDEL', RETRIES, key)
    ring('gone ' .. key)
    removed = removed + 1
  end
end
return { page[1], removed }
`,
);

/** The last entry, undefined where there is none, and how many there are. */
export async function runLast(
  link: Link,
): Promise<{ readonly id: string | undefined; readonly entries: number }> {
  const reply = asList(await link.run(LAST, []));
  const id = asText(reply[0]);
  return { id: id === "" ? undefined : id, entries: asNumber(reply[1]) };
}

/** Removes the next page of entries up to and with `lastId`; how many there were. */
export async function runPurge(link: Link, lastId: string): Promise<number> {
  return asNumber(await link.run(PURGE, [lastId]));
}

/** Removes work without an entry from the next page of dedup. */
export async function runPurgeLost(
  link: Link,
  cursor: string,
): Promise<{ readonly next: string; readonly removed: number }> {
  const reply = asList(await link.run(PURGE_LOST, [cursor]));
  return { next: asText(reply[0]), removed: asNumber(reply[1]) };
}
