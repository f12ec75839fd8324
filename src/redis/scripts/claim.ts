// Hands work to a worker: new entries and abandoned ones through one door, with all that decides
// when work is due. Redis' own XCLAIM means only the second kind.

import type { Job } from "../../model/job.ts";
import type { ClaimReason, UsageReport } from "../../model/usage.ts";
import type { Link } from "../link.ts";
import { asFlatStrings, asList, asNumber, asText } from "../replies.ts";
import { GIVE_UP_AFTER, JOBS_IN_LUA, jobsOf, SOLO_AFTER } from "./jobs.ts";
import { queueScript, type Script } from "./script.ts";

/** Text handed out by one claim, in bytes; reached only by texts of many KiB. */
const MAX_CLAIM_BYTES = 8 * 1024 * 1024;

// Input: ARGV worker · the most texts it can start, 0 to ask for the state alone ·
//   '1' if it has nothing in flight · '1' to look for abandoned work too · space ·
//   what the worker counted since it last told, as JSON · its own totals, as JSON; both '' where
//   nothing is new
// Output: { state, sleepMs (-1: nothing to wait for), suspects, probe, damage, pending, workers,
//   leaseMs, maxBatchSize, jobs (6 values each), repairs (strings), reason, counted, waiting }
//   state     work | sleep | paused | settings (read them again)
//   suspects  abandoned texts that wait for a worker with nothing else in flight
//   probe     1: the first call after a cool-down, no other worker may call yet
//   damage    1: a dedup field has lost its entry, the caller runs repair
//   reason    why the first of the jobs was due: retry | size | timer | flush; '' without jobs
//   counted   1: what the worker told is in the counters, it need not tell it again
//   waiting   entries that no worker was given yet
const CLAIM: Script = queueScript(
  "claim",
  String.raw`
${JOBS_IN_LUA}
local me, max, isAlone, reclaims = ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1', ARGV[4] == '1'
local s = settings()
max = math.min(max, s.maxBatchSize) -- the worker may not know of a change yet
local jobs, repairs, count, bytes = {}, {}, 0, 0
local suspects, isSolo, probe = 0, false, 0
local reason, counted = '', false
local function answer(state, sleepMs)
  local entries, pending = redis.call('XLEN', PENDING), (inGroup())
  local damage = entries < redis.call('HLEN', DEDUP) and 1 or 0
  local _, consumers = groupState()
  if count > 0 then tally(reason, 1) end
  if hasMendedUsage then repairs[#repairs + 1] = 'usage that is no number counts from 0 again' end
  return { state, math.ceil(sleepMs), suspects, probe, damage, pending, consumers,
    s.leaseMs, s.maxBatchSize, jobs, repairs, reason, counted and 1 or 0, entries - pending }
end
if outdated(s, ARGV[5]) then return answer('settings', -1) end

-- Only when missing: this command is refused when Redis is out of memory, even if the group exists.
local _, missing = inGroup()
if missing then redis.call('XGROUP', 'CREATE', PENDING, GROUP, '0', 'MKSTREAM') end
-- An ID that no entry has (the very last one would mean '>'): nothing is delivered, but the worker
-- is known and was seen just now.
redis.call('XREADGROUP', 'GROUP', GROUP, me, 'COUNT', 1, 'STREAMS', PENDING, '18446744073709551615-18446744073709551614')
counted = takeUsage(me, ARGV[6], ARGV[7])

if s.paused then return answer('paused', -1) end
local cooldown = redis.call('GET', COOLDOWN)
local untilMs = cooldown and tonumber(string.match(cooldown, '^(%d+) ') or '')
if untilMs then
  local leftMs = untilMs - nowUs() / 1000
  if leftMs > 0 then return answer('sleep', leftMs) end
end

local function take(kind, id, key, value, attempts, deliveries)
  addJob(jobs, kind, id, key, value, attempts, deliveries)
  count = count + 1
  bytes = bytes + #value
end
local function watermarkCause()
  local cause = redis.pcall('HGET', USAGE, 'cause')
  return (cause == 'size' or cause == 'timer') and cause or 'flush'
end
local function hasRoom() return count < max and bytes < ${MAX_CLAIM_BYTES} and not isSolo end

-- The dedup value if the entry is live work, mended if need be; otherwise the entry is removed.
local function liveOrRemove(entry, key, live)
  local id = entry[1]
  if not key then
    local letter = writeLetter(s, 'reason', 'malformed', 'raw', cjson.encode(entry[2]))
    if type(letter) == 'table' then return nil end -- out of memory: it stays until there is room
    removeEntry(id)
    repairs[#repairs + 1] = 'malformed entry ' .. id .. ' set aside'
    return nil
  end
  if live and live.id == id then return live end
  if live and not entryOf(live.id) then -- the entry that dedup names is lost: this one stands for it
    local mended = dedupValue(live.version, id, textOf(live))
    redis.call('HSET', DEDUP, key, mended)
    repairs[#repairs + 1] = 'entry ' .. id .. ' took the place of a lost one'
    return parseDedup(mended)
  end
  removeEntry(id) -- superseded while it was in flight, or an orphan
  if not live then
    redis.call('HDEL', RETRIES, key)
    repairs[#repairs + 1] = 'entry ' .. id .. ' without work removed'
    ring('gone ' .. key)
  end
  return nil
end

-- 1. What is due in the group: retries, what was handed back, what was abandoned.
local from = '-'
while reclaims and hasRoom() do
  -- 80 ns for each entry passed over; XAUTOCLAIM as a search costs 2 us and stops after ten times COUNT.
  local due = redis.call('XPENDING', PENDING, GROUP, 'IDLE', s.leaseMs, from, '+', 1)[1]
  if not due then break end
  from = '(' .. due[1]
  local got = redis.call('XAUTOCLAIM', PENDING, GROUP, me, s.leaseMs, due[1], 'COUNT', math.min(max - count, 64), 'JUSTID')
  for _, id in ipairs(got[2]) do
    from = '(' .. id
    local entry = entryOf(id)
    if not entry then
      redis.pcall('XACK', PENDING, GROUP, id) -- 6.2 hands out deleted entries too; 7.0 drops them itself
    else
      local key = keyOf(entry)
      local live = liveOrRemove(entry, key, key and liveWork(key))
      if live then
        local _, lost = ownerOf(id)
        local attempts = attemptsOf(key)
        if not hasRoom() then
          park(id, s.leaseMs, lost) -- not now: due at once, its count kept
        elseif attempts >= s.maxAttempts or lost >= ${GIVE_UP_AFTER} then
          -- Counted as well, so that adopting tells it from a last try alone.
          redis.call('XCLAIM', PENDING, GROUP, me, 0, id, 'RETRYCOUNT', lost + 1, 'JUSTID')
          take('giveUp', id, key, live.value, attempts, lost)
        elseif lost >= ${SOLO_AFTER} and not (isAlone and count == 0) then
          suspects = suspects + 1
          park(id, s.leaseMs, lost)
        else
          isSolo = lost >= ${SOLO_AFTER}
          redis.call('XCLAIM', PENDING, GROUP, me, 0, id, 'RETRYCOUNT', lost + 1, 'JUSTID')
          take(isSolo and 'solo' or 'embed', id, key, live.value, attempts, lost + 1)
        end
      end
    end
  end
end

if count > 0 then reason = 'retry' end

-- 2. New entries: up to the watermark, or full batches.
local size, sleepMs, barren = s.maxBatchSize, -1, 0
while hasRoom() and barren < 10 do -- a flood of rubbish cannot hold the server
  local first = redis.call('XRANGE', PENDING, '(' .. groupState(), '+', 'COUNT', 1)[1]
  if not first then
    -- Not in the group, not to be delivered, yet in the stream: lost by a foreign hand. Deliver anew.
    if barren > 0 or waitingCount() <= 0 then break end
    redis.call('XGROUP', 'SETID', PENDING, GROUP, '0')
    repairs[#repairs + 1] = 'entries that no worker could be given are delivered anew'
    first = redis.call('XRANGE', PENDING, '-', '+', 'COUNT', 1)[1]
  end
  local ageMs = nowUs() / 1000 - idParts(first[1])
  -- Timer: all that waits is due. A negative age means that the clock stepped back.
  if ageMs >= s.flushIntervalMs or ageMs < -1000 then raiseWatermark(lastEntryId(), 'timer') end
  local room = max - count
  local why = 'size'
  if notAfter(first[1], watermark()) then
    why = watermarkCause()
  else
    local fill = (size - count % size) % size -- a call that is made anyway is filled up
    local full = math.floor((waitingCount() - fill) / size) * size -- otherwise full batches only
    room = math.min(room, fill + math.max(0, full))
    if room <= 0 then
      sleepMs = math.max(0, s.flushIntervalMs - ageMs)
      break
    end
  end
  -- In steps of 64, so that the byte limit is looked at in between.
  local got = redis.call('XREADGROUP', 'GROUP', GROUP, me, 'COUNT', math.min(room, 64), 'STREAMS', PENDING, '>')
  if not got then break end
  local entries, keys, taken = got[1][2], {}, 0
  for i, entry in ipairs(entries) do keys[i] = keyOf(entry) or '' end
  local values = valuesOf(DEDUP, keys)
  local retries = redis.call('HLEN', RETRIES) > 0 and valuesOf(RETRIES, keys) or {}
  for i, entry in ipairs(entries) do
    local value = values[i]
    if keys[i] == '' or not value or not names(value, entry[1]) then
      local live = liveOrRemove(entry, keyOf(entry), parseDedup(value))
      value = live and live.value
    end
    if value then
      take('embed', entry[1], keys[i], value, tonumber(retries[i] or '0') or 0, 1)
      taken = taken + 1
    end
  end
  if taken > 0 and reason == '' then reason = why end
  barren = taken == 0 and barren + 1 or 0
end

if count > 0 then
  if untilMs then
    -- The cool-down is over but nobody has called yet: this batch tries, the others stay away
    -- until it succeeded, or for a lease if this worker dies.
    probe = 1
    local level = string.match(cooldown, ' (%d+)$') or '1'
    redis.call('SET', COOLDOWN, digits(nowUs() / 1000 + s.leaseMs) .. ' ' .. level, 'PX', s.leaseMs + 3600000)
  else
    local delivered, consumers = groupState()
    local rest = redis.call('XRANGE', PENDING, '(' .. delivered, '+', 'COUNT', 1)[1]
    local isRestDue = rest and (notAfter(rest[1], watermark()) or waitingCount() >= size)
    -- Nothing is left that is due, in the group or beyond: workers that were rung may sleep on.
    if consumers > 2 and hasRoom() and not isRestDue then ring('taken') end
  end
  return answer('work', -1)
end
-- After a flood of rubbish there may be more: claim again at once.
return answer(barren >= 10 and 'work' or 'sleep', sleepMs)
`,
);

export interface ClaimArguments {
  readonly worker: string;
  readonly max: number;
  readonly isAlone: boolean;
  readonly reclaims: boolean;
  readonly space: string;
  /** What the worker has counted since it last told; undefined where nothing is new. */
  readonly usage: UsageReport | undefined;
}

export interface ClaimReply {
  readonly state: "work" | "sleep" | "paused" | "settings";
  /** How long nothing will be due; -1 where that depends on others. */
  readonly sleepMs: number;
  readonly suspects: number;
  readonly isProbe: boolean;
  readonly isDamaged: boolean;
  /** Entries in the group, held or parked. */
  readonly pending: number;
  readonly workers: number;
  readonly leaseMs: number;
  readonly maxBatchSize: number;
  readonly jobs: readonly Job[];
  /** What was mended on the way, in words. */
  readonly repairs: readonly string[];
  /** Why the first of the jobs was due; empty without jobs. */
  readonly reason: ClaimReason | "";
  /** What the worker told of its usage is counted. */
  readonly isCounted: boolean;
  /** Entries that no worker was given yet. */
  readonly waiting: number;
}

/** Takes work. Not repeated after a lost reply: the caller adopts instead. */
export async function runClaim(link: Link, request: ClaimArguments): Promise<ClaimReply> {
  const reply = asList(
    await link.run(
      CLAIM,
      [
        request.worker,
        String(request.max),
        request.isAlone ? "1" : "0",
        request.reclaims ? "1" : "0",
        request.space,
        request.usage?.added ?? "",
        request.usage?.own ?? "",
      ],
      { repeats: false },
    ),
  );
  return {
    state: asText(reply[0]) as ClaimReply["state"],
    sleepMs: asNumber(reply[1]),
    suspects: asNumber(reply[2]),
    isProbe: asNumber(reply[3]) === 1,
    isDamaged: asNumber(reply[4]) === 1,
    pending: asNumber(reply[5]),
    // The parked consumer is no worker.
    workers: Math.max(1, asNumber(reply[6]) - 1),
    leaseMs: asNumber(reply[7]),
    maxBatchSize: asNumber(reply[8]),
    jobs: jobsOf(asList(reply[9])),
    repairs: asFlatStrings(reply[10]),
    reason: asText(reply[11]) as ClaimReply["reason"],
    isCounted: asNumber(reply[12]) === 1,
    waiting: asNumber(reply[13]),
  };
}
