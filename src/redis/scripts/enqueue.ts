// Accepts texts: gives versions, keeps one live entry for a key, and starts the size trigger.

import type { Link } from "../link.ts";
import { asList, asNumber, asText, type Reply } from "../replies.ts";
import { queueScript, type Script } from "./script.ts";

// Input: ARGV space · entries made by earlier chunks of this call · '1' if this is its last chunk ·
//   '1' to put blank texts on the stream where nothing is outstanding (dimensions unknown) ·
//   notes, a line '<place> <floor> <mode>' for each item that has something to be said of it ·
//   then the keys of all items · then their texts
//     place  of the item, from 1
//     floor  the version stored in the destination, 0 if none
//     mode   0, or 1 if the destination holds the vector of this text, or 'v' and the version reserved
//            for a text before it was read: then as if enqueued at that moment
// Output: {'settings'} if they must be read again, else {'ok', entries made, then for each item}
//   its version, a number: it is on the stream; or text, '<kind> <version> <entry id>'
//   same         this text is outstanding already
//   touch        unchanged and idle: the caller lifts the destination to the version
//   blank        idle: the caller writes zero
//   blankQueued  on the stream: the caller writes zero and settles, or a worker does
//   superseded   since the version was reserved, something as new came: nothing is done
export const ENQUEUE: Script = queueScript(
  "enqueue",
  String.raw`
local space, earlier, isLast, queueBlanks = ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1', ARGV[4] == '1'
local s = settings()
if outdated(s, space) then return { 'settings' } end

local now = nowUs()
local clock = tonumber(redis.call('GET', CLOCK) or '0') or 0
if clock > now + DAY_US then clock = 0 end -- damaged
clock = math.max(clock, now - 1)
-- The floor lifts this key only, never the clock: one damaged destination must not move all versions.
local given, latest = {}, {} -- the same key may come twice in one call: its version, its place in writes
local function nextVersion(key, floor, live, reserved)
  if reserved then return reserved end
  clock = clock + 1
  if floor > now + DAY_US then floor = 0 end
  local above = math.max(clock, floor + 1, (live and live.version or 0) + 1, (given[key] or 0) + 1)
  given[key] = apart(above, clock, now)
  return given[key]
end

local delivered = groupState()
local before = waitingCount()
local count, first = (#ARGV - 5) / 2, 6
local reply, floors, modes = { 'ok', 0 }, {}, {}
for place, floor, mode in string.gmatch(ARGV[5], '(%d+) (%d+) (%S+)') do
  floors[tonumber(place)], modes[tonumber(place)] = tonumber(floor), mode
end
local found = redis.call('HMGET', DEDUP, unpack(ARGV, first, first + count - 1))
local hasRetries = redis.call('HLEN', RETRIES) > 0

-- The first write: out of memory refuses the whole call here, with nothing half-written.
redis.call('SET', CLOCK, digits(clock))

local writes, filled, added, skips = {}, 0, {}, 0
-- Versions of one call follow each other: their last two digits apart, as digits() takes 0.4 us a number.
local stem, stemText, endings = nil, '', {}
local function queue(key, version, id, text)
  local ending = version % 100
  if stem ~= version - ending then stem, stemText = version - ending, digits((version - ending) / 100) end
  endings[ending] = endings[ending] or string.format('%02d', ending)
  writes[filled + 1], writes[filled + 2] = key, stemText .. endings[ending] .. ' ' .. id .. '\n' .. text
  latest[key] = filled + 2
  filled = filled + 2
end
for i = 1, count do
  local key, text, mode = ARGV[first + i - 1], ARGV[first + count + i - 1], modes[i]
  if not found[i] and not mode and text ~= '' and not latest[key] and not given[key] then
    -- Nothing is known of the key. The rules below come to the same and take 3 us an item longer.
    clock = clock + 1
    local id = redis.call('XADD', PENDING, '*', 'key', key)
    added[#added + 1] = id
    queue(key, clock, id, text)
    reply[i + 2] = clock
  else
    local floor, reserved = floors[i] or 0, tonumber(string.match(mode or '', '^v(%d+)$'))
    local live = parseDedup(latest[key] and writes[latest[key]] or found[i])
    local hasEntry = live and entryOf(live.id) -- a lost entry stands for nothing
    local kind, version, id
    if hasEntry and live.version >= floor and textOf(live) == text then
      kind, version, id = (text == '' and 'blankQueued' or 'same'), live.version, live.id
    elseif reserved and math.max(floor, live and live.version or 0) >= reserved then
      kind, version = 'superseded', math.max(floor, live and live.version or 0)
    elseif not live and mode == '1' then
      kind, version = 'touch', nextVersion(key, floor, live)
      skips = skips + 1
    elseif not live and text == '' and not queueBlanks then
      kind, version = 'blank', nextVersion(key, floor, live, reserved)
    else
      version = nextVersion(key, floor, live, reserved)
      if hasEntry and not notAfter(live.id, delivered) then
        id = live.id -- still waiting: the newest text takes its place
      else
        -- A parked retry of an older text is in nobody's hands; one that a worker holds stays its own.
        if hasEntry and ownerOf(live.id) == PARKED then removeEntry(live.id) end
        id = redis.call('XADD', PENDING, '*', 'key', key)
        added[#added + 1] = id
      end
      queue(key, version, id, text)
      kind = text == '' and 'blankQueued' or 'queued'
    end
    reply[i + 2] = kind == 'queued' and version or kind .. ' ' .. digits(version) .. ' ' .. (id or '')
  end
end
if filled > 0 then redis.call('HSET', DEDUP, unpack(writes)) end
if hasRetries then -- attempts belong to the text, not to the key
  for i = 1, filled, 2 do redis.call('HDEL', RETRIES, writes[i]) end
end
redis.call('SET', CLOCK, digits(clock))
if skips > 0 then tally('skipHits', skips) end

-- Size trigger: what waits crossed a multiple of the batch size, or this one call made a batch.
reply[2] = #added
if #added > 0 then
  local size = s.maxBatchSize
  local after = waitingCount()
  local crossing = math.floor(after / size) * size
  if isLast and earlier + #added >= size then
    raiseWatermark(added[#added], 'size')
    ring('due')
  elseif crossing > math.max(before, 0) then
    raiseWatermark(added[math.max(1, math.min(#added, crossing - before))], 'size')
    ring('due')
  elseif before <= 0 then
    ring('timer')
  end
end
return reply
`,
);

/** What the script decided for one item. */
export type AcceptKind = "queued" | "same" | "touch" | "blank" | "blankQueued" | "superseded";

export interface Accepted {
  readonly kind: AcceptKind;
  readonly version: number;
  /** That of blank text on the stream; empty for all others. */
  readonly entryId: string;
}

/** At most 3,999 items: Lua cannot hand more values to one command. */
export interface EnqueueArguments {
  readonly space: string;
  readonly earlierEntries: number;
  readonly isLastChunk: boolean;
  readonly queueBlanks: boolean;
  readonly items: readonly {
    readonly key: string;
    readonly text: string;
    readonly floor: number;
    readonly unchanged: boolean;
    /** Given by {@link runReserve} before the text was read. */
    readonly reserved: number | undefined;
  }[];
}

export interface EnqueueReply {
  /** Entries that the call put on the stream. */
  readonly entries: number;
  /** The decision for each item, in order. */
  readonly accepted: readonly Accepted[];
}

/**
 * Undefined where the settings must be read again first.
 *
 * @param repeats Whether it may be sent again where the connection fails.
 */
export async function runEnqueue(
  link: Link,
  request: EnqueueArguments,
  repeats = true,
): Promise<EnqueueReply | undefined> {
  const args = [
    request.space,
    String(request.earlierEntries),
    request.isLastChunk ? "1" : "0",
    request.queueBlanks ? "1" : "0",
  ];
  args.push(notesOf(request.items));
  for (const { key } of request.items) args.push(key);
  for (const { text } of request.items) args.push(text);
  const reply = asList(await link.run(ENQUEUE, args, { repeats }));
  if (asText(reply[0]) === "settings") return undefined;
  const accepted = reply.slice(2).map(acceptedOf);
  return { entries: asNumber(reply[1]), accepted };
}

/** What the script must know of items beside their keys and texts; mostly nothing. */
function notesOf(items: EnqueueArguments["items"]): string {
  const notes: string[] = [];
  items.forEach(({ floor, unchanged, reserved }, i) => {
    if (floor === 0 && !unchanged && reserved === undefined) return;
    const mode = reserved === undefined ? (unchanged ? "1" : "0") : `v${reserved}`;
    notes.push(`${i + 1} ${floor} ${mode}`);
  });
  return notes.join("\n");
}

function acceptedOf(reply: Reply): Accepted {
  if (typeof reply === "number") return { kind: "queued", version: reply, entryId: "" };
  const [kind, version, entryId = ""] = asText(reply).split(" ");
  return { kind: kind as AcceptKind, version: Number(version), entryId };
}
