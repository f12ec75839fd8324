// Accepts texts: gives versions, keeps one live entry for a key, and starts the size trigger.

import type { Link } from "../link.ts";
import { asFlatStrings } from "../replies.ts";
import { queueScript, type Script } from "./script.ts";

// Input: ARGV space · entries made by earlier chunks of this call · '1' if this is its last chunk ·
//   '1' to put blank texts on the stream where nothing is outstanding (dimensions unknown) ·
//   then for each item: key · text · floor (version stored in the destination) · '1' if unchanged, '0'
//   if not, or 'v' and the version reserved for a text before it was read: then as if enqueued at that moment
// Output: {'settings'} if they must be read again, else {'ok', entries made, then kind · version · entry id for each item}
//   queued       on the stream
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
local given = {} -- the same key may come twice in one call
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
local keys, known, reply = {}, {}, { 'ok', '0' }
for i = 5, #ARGV, 4 do keys[#keys + 1] = ARGV[i] end
local found = valuesOf(DEDUP, keys)
for i = 1, #keys do known[keys[i]] = parseDedup(found[i]) end
local hasRetries = redis.call('HLEN', RETRIES) > 0

-- The first write: out of memory refuses the whole call here, with nothing half-written.
redis.call('SET', CLOCK, digits(clock))

local changed, added, skips = {}, {}, 0
for i = 1, #keys do
  local at = 4 * i + 1
  local key, text, floor, unchanged = keys[i], ARGV[at + 1], tonumber(ARGV[at + 2]), ARGV[at + 3] == '1'
  local reserved = tonumber(string.match(ARGV[at + 3], '^v(%d+)$'))
  local live = known[key]
  local hasEntry = live and entryOf(live.id) -- a lost entry stands for nothing
  local kind, version, id
  if hasEntry and live.version >= floor and textOf(live) == text then
    kind, version, id = (text == '' and 'blankQueued' or 'same'), live.version, live.id
  elseif reserved and math.max(floor, live and live.version or 0) >= reserved then
    kind, version = 'superseded', math.max(floor, live and live.version or 0)
  elseif not live and unchanged then
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
    known[key] = makeDedup(version, id, text)
    changed[#changed + 1] = key
    kind = text == '' and 'blankQueued' or 'queued'
  end
  reply[#reply + 1] = kind
  reply[#reply + 1] = digits(version)
  reply[#reply + 1] = id or ''
end
for i = 1, #changed, 500 do
  local args = {}
  for j = i, math.min(i + 499, #changed) do
    args[#args + 1] = changed[j]
    args[#args + 1] = known[changed[j]].value
  end
  redis.call('HSET', DEDUP, unpack(args))
end
if hasRetries then each(changed, 'HDEL', RETRIES) end -- attempts belong to the text, not to the key
redis.call('SET', CLOCK, digits(clock))
if skips > 0 then tally('skipHits', skips) end

-- Size trigger: what waits crossed a multiple of the batch size, or this one call made a batch.
reply[2] = digits(#added)
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
  /** Empty where nothing was put on the stream. */
  readonly entryId: string;
}

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

/** Undefined where the settings must be read again first. */
export async function runEnqueue(
  link: Link,
  request: EnqueueArguments,
): Promise<EnqueueReply | undefined> {
  const args = [
    request.space,
    String(request.earlierEntries),
    request.isLastChunk ? "1" : "0",
    request.queueBlanks ? "1" : "0",
  ];
  for (const item of request.items) {
    const mode = item.reserved === undefined ? (item.unchanged ? "1" : "0") : `v${item.reserved}`;
    args.push(item.key, item.text, String(item.floor), mode);
  }
  const reply = asFlatStrings(await link.run(ENQUEUE, args));
  if (reply[0] === "settings") return undefined;
  const accepted: Accepted[] = [];
  for (let at = 2; at < reply.length; at += 3) {
    accepted.push({
      kind: reply[at] as AcceptKind,
      version: Number(reply[at + 1]),
      entryId: reply[at + 2] ?? "",
    });
  }
  return { entries: Number(reply[1]), accepted };
}
