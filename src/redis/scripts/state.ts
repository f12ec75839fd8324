// Questions about the queue's state, and the repairs that keep it true.

import type { UsageReport } from "../../model/usage.ts";
import type { Link } from "../link.ts";
import { asFlatStrings, asList, asNumber, asText } from "../replies.ts";
import { queueScript, type Script } from "./script.ts";

// Input: ARGV keys
// Output: for each key the outstanding version, '' if none. Never a text.
const STATUS: Script = queueScript(
  "status",
  String.raw`
local reply = {}
for i = 1, #ARGV, 1000 do
  local page = redis.call('HMGET', DEDUP, unpack(ARGV, i, math.min(i + 999, #ARGV)))
  for j = 1, #page do
    local live = parseDedup(page[j])
    reply[i + j - 1] = live and digits(live.version) or ''
  end
end
return reply
`,
);

// Input: ARGV '1' to go on although work has lost its entry
// Output: the last entry, up to which everything is due now; '' where the stream is empty; 'damaged'
//   where a repair must come first
const FLUSH_NOW: Script = queueScript(
  "flush",
  String.raw`
if ARGV[1] ~= '1' and redis.call('XLEN', PENDING) < redis.call('HLEN', DEDUP) then return 'damaged' end
local last = lastEntryId()
if not last then return '' end
raiseWatermark(last, 'flush')
ring('due')
return last
`,
);

// Input: ARGV an entry ID to begin after, or '-' · the entry ID to count to
// Output: { entries counted, the last one counted or '' where the count is complete }
const REMAINING: Script = queueScript(
  "remaining",
  String.raw`
local from = ARGV[1] == '-' and '-' or '(' .. ARGV[1]
local page = redis.call('XRANGE', PENDING, from, ARGV[2], 'COUNT', 5000)
return { #page, #page == 5000 and page[#page][1] or '' }
`,
);

// Input: ARGV HSCAN cursor, '0' at first
// Output: { next cursor, fields mended }. A dedup field without an entry gets one; a damaged one is set aside.
const REPAIR: Script = queueScript(
  "repair",
  String.raw`
local s, mended = settings(), 0
local page = redis.call('HSCAN', DEDUP, ARGV[1], 'COUNT', 200)
for i = 1, #page[2], 2 do
  local key = page[2][i]
  local live = isText(key) and liveWork(key)
  if not live then
    local letter = writeLetter(s, 'key', key, 'reason', 'damaged', 'raw', page[2][i + 1])
    if type(letter) ~= 'table' then
      redis.call('HDEL', DEDUP, key)
      redis.call('HDEL', RETRIES, key)
      ring('gone ' .. key)
      mended = mended + 1
    end
  elseif not entryOf(live.id) then
    local id = redis.call('XADD', PENDING, '*', 'key', key)
    redis.call('HSET', DEDUP, key, dedupValue(live.version, id, textOf(live)))
    mended = mended + 1
  end
end
return { page[1], mended }
`,
);

// Output: { entries, in the group, parked, outstanding keys, age of the oldest waiting in ms (-1: none),
//   letters, letters dropped, '1' if paused, cool-down in ms, consumers: name · pending · idle in ms each,
//   usage: field · value each, the time in ms, that of the last resume in ms (0: none) }
const STATS: Script = queueScript(
  "stats",
  String.raw`
local consumers = {}
local list = redis.pcall('XINFO', 'CONSUMERS', PENDING, GROUP)
for _, flat in ipairs(list.err and {} or list) do
  local consumer = pairsOf(flat)
  if consumer['name'] ~= PARKED then
    consumers[#consumers + 1] = consumer['name']
    consumers[#consumers + 1] = digits(consumer['pending'])
    consumers[#consumers + 1] = digits(consumer['idle'])
  end
end
local ageMs = -1
local first = redis.call('XRANGE', PENDING, '(' .. groupState(), '+', 'COUNT', 1)[1]
if first then ageMs = math.max(0, nowUs() / 1000 - idParts(first[1])) end
local usage = redis.pcall('HGETALL', USAGE)
local untilMs = tonumber(string.match(redis.call('GET', COOLDOWN) or '', '^(%d+) ') or '0')
return {
  redis.call('XLEN', PENDING), (inGroup()), parkedCount(), redis.call('HLEN', DEDUP), math.floor(ageMs),
  redis.call('XLEN', DEAD), tonumber(redis.call('HGET', SETTINGS, 'deadLettersDropped') or '0'),
  settings().paused and 1 or 0, math.max(0, math.ceil(untilMs - nowUs() / 1000)), consumers,
  usage.err and {} or usage, digits(math.floor(nowUs() / 1000)),
  string.match(redis.call('HGET', SETTINGS, 'resumedAt') or '', '^%d+$') or '0'
}
`,
);

// Input: ARGV '' or the worker that leaves · idle time in ms after which any other is taken for dead ·
//   what the worker counted since it last told, as JSON · its own totals, as JSON; both '' where nothing is new
// Output: consumers removed. One with pending entries stays: XGROUP DELCONSUMER would drop them. What
//   was counted for workers that are gone, and word of their pauses, goes with them.
const SWEEP: Script = queueScript(
  "sweep",
  String.raw`
local removed, stays = 0, {}
takeUsage(ARGV[1], ARGV[3], ARGV[4])
local list = redis.pcall('XINFO', 'CONSUMERS', PENDING, GROUP)
if list.err then return 0 end
for _, flat in ipairs(list) do
  local consumer = pairsOf(flat)
  local leaves = consumer['name'] == ARGV[1]
  local isDead = consumer['name'] ~= PARKED and consumer['idle'] > tonumber(ARGV[2])
  if consumer['pending'] == 0 and (leaves or isDead) then
    redis.call('XGROUP', 'DELCONSUMER', PENDING, GROUP, consumer['name'])
    removed = removed + 1
  else
    stays[consumer['name']] = true
  end
end
local counted = redis.pcall('HKEYS', USAGE)
for _, field in ipairs(counted.err and {} or counted) do
  local what, worker = string.match(field, '^(%a+):(.*)$')
  local isLeft = worker and (not stays[worker] or (what == 'pause' and worker == ARGV[1]))
  if isLeft then redis.call('HDEL', USAGE, field) end
end
if ARGV[1] ~= '' and waitingCount() + parkedCount() > 0 then ring('due') end
return removed
`,
);

/** For each key the version that is outstanding, or undefined. */
export async function runStatus(
  link: Link,
  keys: readonly string[],
): Promise<readonly (number | undefined)[]> {
  const reply = asFlatStrings(await link.run(STATUS, keys));
  return reply.map((version) => (version === "" ? undefined : Number(version)));
}

/** Makes everything due that is outstanding; the last entry's ID, or undefined where there is none. */
export async function runFlush(link: Link): Promise<string | undefined> {
  let last = asText(await link.run(FLUSH_NOW, ["0"]));
  if (last === "damaged") {
    await runRepair(link);
    last = asText(await link.run(FLUSH_NOW, ["1"]));
  }
  return last === "" ? undefined : last;
}

/** Counts the entries up to and with `lastId`, in steps. */
export async function countUpTo(link: Link, lastId: string): Promise<number> {
  let count = 0;
  let from = "-";
  while (from !== "") {
    const reply = asList(await link.run(REMAINING, [from, lastId]));
    count += asNumber(reply[0]);
    from = asText(reply[1]);
  }
  return count;
}

/** Goes through dedup once; returns how many fields were mended. */
export async function runRepair(link: Link): Promise<number> {
  let mended = 0;
  let cursor = "0";
  do {
    const reply = asList(await link.run(REPAIR, [cursor]));
    cursor = asText(reply[0]);
    mended += asNumber(reply[1]);
  } while (cursor !== "0");
  return mended;
}

/** The queue's state as the server counts it. */
export interface StateReply {
  readonly entries: number;
  readonly pending: number;
  readonly parked: number;
  readonly keys: number;
  readonly oldestWaitingMs: number;
  readonly dead: number;
  readonly deadDropped: number;
  readonly isPaused: boolean;
  readonly cooldownMs: number;
  readonly consumers: readonly { name: string; pending: number; idleMs: number }[];
  /** What the queue's key of that name holds. */
  readonly usage: ReadonlyMap<string, string>;
  /** Redis' clock. */
  readonly nowMs: number;
  /** When the queue was resumed last; 0 where it never was. */
  readonly resumedAtMs: number;
}

export async function runStats(link: Link): Promise<StateReply> {
  const reply = asList(await link.run(STATS, []));
  const flat = asFlatStrings(reply[9]);
  const consumers = [];
  for (let at = 0; at < flat.length; at += 3) {
    consumers.push({
      name: flat[at] ?? "",
      pending: Number(flat[at + 1]),
      idleMs: Number(flat[at + 2]),
    });
  }
  const usage = new Map<string, string>();
  const counters = asFlatStrings(reply[10]);
  for (let at = 0; at < counters.length; at += 2) {
    usage.set(counters[at] ?? "", counters[at + 1] ?? "");
  }
  return {
    entries: asNumber(reply[0]),
    pending: asNumber(reply[1]),
    parked: asNumber(reply[2]),
    keys: asNumber(reply[3]),
    oldestWaitingMs: asNumber(reply[4]),
    dead: asNumber(reply[5]),
    deadDropped: asNumber(reply[6]),
    isPaused: asNumber(reply[7]) === 1,
    cooldownMs: asNumber(reply[8]),
    consumers,
    usage,
    nowMs: asNumber(reply[11]),
    resumedAtMs: asNumber(reply[12]),
  };
}

/**
 * Removes consumers that hold nothing: the one that leaves (if any), and those not seen for
 * `deadAfterMs`; and what was counted for workers that are gone.
 *
 * @param usage What the worker that leaves has not told yet.
 */
export async function runSweep(
  link: Link,
  leaving: string | undefined,
  deadAfterMs: number,
  usage?: UsageReport,
): Promise<number> {
  const told = [usage?.added ?? "", usage?.own ?? ""];
  return asNumber(await link.run(SWEEP, [leaving ?? "", String(deadAfterMs), ...told]));
}
