// Looks for data that has lost what it belongs to, and mends it where that is asked for. Page by page:
// what comes and goes between two pages was whole within its own.

import type { Link } from "../link.ts";
import { asList, asNumber, asText } from "../replies.ts";
import { JOBS_IN_LUA } from "./jobs.ts";
import { queueScript, type Script } from "./script.ts";

// Input: ARGV part · cursor, '' at first · '1' to mend
// Output: { next cursor, '' at the end; then counts }
//   dedup    fields that are damaged · fields without an entry; repair mends these
//   stream   entries without a key · entries that nobody holds and dedup does not name ·
//            entries behind the group's last that are not in it: nobody would be given them
//   group    entries of the group that are not on the stream
//   retries  counts of texts that are not outstanding
const INSPECT: Script = queueScript(
  "inspect",
  String.raw`
${JOBS_IN_LUA}
local part, cursor, mends = ARGV[1], ARGV[2], ARGV[3] == '1'
local a, b, c, last, size = 0, 0, 0, '', 0

if part == 'dedup' or part == 'retries' then
  local hash = part == 'dedup' and DEDUP or RETRIES
  local page = redis.call('HSCAN', hash, cursor == '' and '0' or cursor, 'COUNT', 200)
  for i = 1, #page[2], 2 do
    local key = page[2][i]
    if part == 'retries' then
      if redis.call('HSTRLEN', DEDUP, key) == 0 then
        a = a + 1
        if mends then redis.call('HDEL', RETRIES, key) end
      end
    else
      local live = isText(key) and parseDedup(page[2][i + 1])
      if not live then a = a + 1 elseif not entryOf(live.id) then b = b + 1 end
    end
  end
  return { page[1] == '0' and '' or page[1], a, b, c }
end

local from = cursor == '' and '-' or '(' .. cursor
if part == 'group' then
  local page = redis.pcall('XPENDING', PENDING, GROUP, from, '+', 200)
  for _, held in ipairs(page.err and {} or page) do
    size, last = size + 1, held[1]
    if not entryOf(held[1]) then
      a = a + 1
      if mends then redis.call('XACK', PENDING, GROUP, held[1]) end
    end
  end
  return { size == 200 and last or '', a, b, c }
end

local delivered = groupState()
for _, entry in ipairs(redis.call('XRANGE', PENDING, from, '+', 'COUNT', 200)) do
  size, last = size + 1, entry[1]
  local id, key = entry[1], keyOf(entry)
  local live = key and liveWork(key)
  local owner = ownerOf(id)
  if not key then
    a = a + 1
    local letter = mends and writeLetter(settings(), 'reason', 'malformed', 'raw', cjson.encode(entry[2]))
    if mends and type(letter) ~= 'table' then removeEntry(id) end
  elseif (not live or live.id ~= id) and (not owner or owner == PARKED) then
    b = b + 1
    if mends then
      removeEntry(id)
      if not live then
        redis.call('HDEL', RETRIES, key)
        ring('gone ' .. key)
      end
    end
  elseif live and live.id == id and not owner and notAfter(id, delivered) then
    c = c + 1
    if mends then
      local again = redis.call('XADD', PENDING, '*', 'key', key)
      redis.call('HSET', DEDUP, key, dedupValue(live.version, again, textOf(live)))
      removeEntry(id)
    end
  end
end
return { size == 200 and last or '', a, b, c }
`,
);

/** How much has lost what it belongs to. */
export interface Strays {
  /** Fields of dedup that cannot be read. */
  readonly damaged: number;
  /** Outstanding texts without an entry. */
  readonly withoutEntry: number;
  /** Entries without a key. */
  readonly malformed: number;
  /** Entries for which no text is outstanding. */
  readonly withoutText: number;
  /** Entries that the group takes for delivered, and that nobody was given. */
  readonly skipped: number;
  /** Entries that are in the group alone. */
  readonly removed: number;
  /** Failed attempts of texts that are not outstanding. */
  readonly retries: number;
}

/** Goes through the queue's data once. @param mends Mends all but what repair mends: dedup. */
export async function runInspect(
  link: Link,
  mends: boolean,
  signal: AbortSignal | undefined,
): Promise<Strays> {
  const goThrough = async (part: string): Promise<readonly number[]> => {
    const sums = [0, 0, 0];
    let cursor = "";
    do {
      signal?.throwIfAborted();
      const reply = asList(await link.run(INSPECT, [part, cursor, mends ? "1" : "0"]));
      cursor = asText(reply[0]);
      for (const at of [0, 1, 2]) sums[at] = (sums[at] ?? 0) + asNumber(reply[at + 1]);
    } while (cursor !== "");
    return sums;
  };
  const [malformed = 0, withoutText = 0, skipped = 0] = await goThrough("stream");
  const [removed = 0] = await goThrough("group");
  const [damaged = 0, withoutEntry = 0] = await goThrough("dedup");
  const [retries = 0] = await goThrough("retries");
  return { damaged, withoutEntry, malformed, withoutText, skipped, removed, retries };
}
