// What every script that works on a queue's own keys begins with, and how a script is made.

import { scriptSha } from "../../model/digest.ts";
import { DEFAULT_SETTINGS, PROTOCOL } from "../../model/settings.ts";

/** A Lua script, run by its SHA and sent in full only where Redis does not know it yet. */
export interface Script {
  readonly name: string;
  readonly source: string;
  readonly sha: string;
}

/** The name of the one consumer group. */
export const GROUP = "embedders";

/** The consumer that holds what no worker holds: retries in their backoff, and what was handed back. */
const PARKED = "parked";

// The helpers below are locals of every queue script. A dedup value is
// "<version> <entry id>\n<text>"; blank text is the empty text.
const PRELUDE = String.raw`
local PENDING, DEDUP, RETRIES, DEAD, SETTINGS, CLOCK, FLUSH, COOLDOWN, USAGE = unpack(KEYS)
local DOORBELL = string.sub(PENDING, 1, -8) .. 'doorbell'
local GROUP, PARKED = '${GROUP}', '${PARKED}'
local DAY_US = 86400000000

-- Digits of a whole number: tostring() gives 1.7954467368497e+15 for a version.
local function digits(number) return string.format('%.0f', number) end

local function nowUs()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end

local function ring(message) redis.call('PUBLISH', DOORBELL, message) end

-- Name and value pairs of a flat reply, as a table.
local function pairsOf(flat)
  local fields = {}
  for i = 1, #flat, 2 do fields[flat[i]] = flat[i + 1] end
  return fields
end

-- Keys are text. One that is not valid UTF-8 would be read as another key.
local function isText(bytes)
  if not string.find(bytes, '[\128-\255]') then return true end
  local at = 1
  while at <= #bytes do
    local a, b = string.byte(bytes, at, at + 1)
    local more = a < 128 and 0 or a >= 194 and a < 224 and 1 or a >= 224 and a < 240 and 2 or a >= 240 and a < 245 and 3
    if not more then return false end
    for i = at + 1, at + more do
      local byte = string.byte(bytes, i)
      if not byte or byte < 128 or byte > 191 then return false end
    end
    if (a == 224 and b < 160) or (a == 237 and b > 159) or (a == 240 and b < 144) or (a == 244 and b > 143) then return false end
    at = at + 1 + more
  end
  return true
end

local function idParts(id)
  local ms, seq = string.match(id, '^(%d+)%-(%d+)$')
  return tonumber(ms), tonumber(seq)
end
local function notAfter(a, b)
  local aMs, aSeq = idParts(a)
  local bMs, bSeq = idParts(b)
  return aMs < bMs or (aMs == bMs and aSeq <= bSeq)
end

-- Decided once for the queue; the script's caller has no say. space is '' where it is unknown.
local function settings()
  local s = redis.call('HMGET', SETTINGS, 'protocol', 'model', 'dimensions', 'task',
    'maxBatchSize', 'flushIntervalMs', 'leaseMs', 'maxAttempts', 'maxDeadLetters', 'paused')
  return {
    protocol = s[1],
    space = s[2] and (s[2] .. '\n' .. (s[3] or '') .. '\n' .. (s[4] or '')) or '',
    maxBatchSize = tonumber(s[5]) or ${DEFAULT_SETTINGS.maxBatchSize},
    flushIntervalMs = tonumber(s[6]) or ${DEFAULT_SETTINGS.flushIntervalMs},
    leaseMs = tonumber(s[7]) or ${DEFAULT_SETTINGS.leaseMs},
    maxAttempts = tonumber(s[8]) or ${DEFAULT_SETTINGS.maxAttempts},
    maxDeadLetters = tonumber(s[9]) or ${DEFAULT_SETTINGS.maxDeadLetters},
    paused = s[10] == '1',
  }
end
-- True where the caller must read the settings again before it may go on.
local function outdated(s, space) return s.protocol ~= '${PROTOCOL}' or s.space ~= space end

local function parseDedup(value)
  if not value then return nil end
  local version, id, textAt = string.match(value, '^(%d+) (%d+%-%d+)\n()')
  if not version then return nil end -- damaged: counts as absent, repair sets it aside
  return { version = tonumber(version), id = id, value = value, textAt = textAt }
end
local function dedupValue(version, id, text) return digits(version) .. ' ' .. id .. '\n' .. text end
-- Whether a value begins as that of an entry must. Without taking it apart, which costs 1 us.
local function names(value, id)
  local _, at = string.find(value, '^%d+ ')
  return at and string.sub(value, at + 1, at + #id + 1) == id .. '\n'
end
local function textOf(live) return string.sub(live.value, live.textAt) end
local function liveWork(key) return parseDedup(redis.call('HGET', DEDUP, key)) end

-- HMGET in steps: unpack() fails beyond about 8,000 values.
local function valuesOf(hash, keys)
  local values = {}
  for i = 1, #keys, 1000 do
    local page = redis.call('HMGET', hash, unpack(keys, i, math.min(i + 999, #keys)))
    for j = 1, #page do values[i + j - 1] = page[j] end
  end
  return values
end

-- One command with many arguments, in steps. For commands that shrink and cannot fail on absence.
local function each(list, ...)
  for i = 1, #list, 1000 do
    local args = { ... }
    for j = i, math.min(i + 999, #list) do args[#args + 1] = list[j] end
    redis.pcall(unpack(args))
  end
end

local function entryOf(id) return redis.call('XRANGE', PENDING, id, id)[1] end

-- The consumer that holds an entry, and how often it was delivered without coming back.
local function ownerOf(id)
  local found = redis.pcall('XPENDING', PENDING, GROUP, id, id, 1)
  if found.err or not found[1] then return nil end
  return found[1][2], found[1][4]
end

-- Entries that are delivered and not settled; and the error where the group is missing.
local function inGroup()
  local summary = redis.pcall('XPENDING', PENDING, GROUP)
  if summary.err then return 0, summary.err end
  return summary[1]
end
local function parkedCount()
  local list = redis.pcall('XINFO', 'CONSUMERS', PENDING, GROUP)
  for _, flat in ipairs(list.err and {} or list) do
    local consumer = pairsOf(flat)
    if consumer['name'] == PARKED then return consumer['pending'] end
  end
  return 0
end
local function waitingCount() return redis.call('XLEN', PENDING) - inGroup() end

-- The last entry that any worker was given, and the number of consumers.
local function groupState()
  local groups = redis.pcall('XINFO', 'GROUPS', PENDING)
  if not groups.err then
    for _, flat in ipairs(groups) do
      local group = pairsOf(flat)
      if group['name'] == GROUP then return group['last-delivered-id'], group['consumers'] end
    end
  end
  return '0-0', 0
end

-- Gives an entry to nobody, claimable when its idle time reaches the lease. By one moment for the
-- whole script: IDLE counts from the time of each command, and a claim in the very millisecond would
-- find one part of a batch due and the other not.
local parkedAtMs
local function park(id, idleMs, deliveries)
  parkedAtMs = parkedAtMs or math.floor(nowUs() / 1000)
  redis.call('XCLAIM', PENDING, GROUP, PARKED, 0, id, 'TIME', digits(parkedAtMs - idleMs), 'RETRYCOUNT', deliveries, 'JUSTID')
end

-- Count and entry always go together, or XLEN minus pending would no longer be what waits.
local function removeEntry(id)
  redis.pcall('XACK', PENDING, GROUP, id)
  redis.call('XDEL', PENDING, id)
end

local function lastEntryId()
  local last = redis.call('XREVRANGE', PENDING, '+', '-', 'COUNT', 1)[1]
  return last and last[1]
end

-- Everything up to this entry is due; for statistics only, why: size, timer or flush.
local function raiseWatermark(id, cause)
  local mark = redis.call('GET', FLUSH)
  if not mark or not string.match(mark, '^%d+%-%d+$') or not notAfter(id, mark) then
    redis.pcall('SET', FLUSH, id)
    redis.pcall('HSET', USAGE, 'cause', cause)
  end
end
local function watermark()
  local mark = redis.call('GET', FLUSH)
  return mark and string.match(mark, '^%d+%-%d+$') and mark or '0-0'
end

-- Tells those who wait for a flush that nothing up to the watermark is left.
local function ringIfFlushed()
  local first = redis.call('XRANGE', PENDING, '-', '+', 'COUNT', 1)[1]
  if not first or not notAfter(first[1], watermark()) then ring('flushed') end
end

-- Adds to a counter; false where Redis refuses it, for instance out of memory. Counting never fails a
-- script, and what a foreign hand left in its place is dropped.
local hasMendedUsage = false
local function tally(field, by)
  local sum = redis.pcall('HINCRBY', USAGE, field, digits(by))
  if type(sum) ~= 'table' then return true end
  if string.find(sum.err, 'WRONGTYPE') then redis.pcall('DEL', USAGE)
  elseif string.find(sum.err, 'not an integer') or string.find(sum.err, 'overflow') then redis.pcall('HDEL', USAGE, field)
  else return false end
  hasMendedUsage = true
  return type(redis.pcall('HINCRBY', USAGE, field, digits(by))) ~= 'table'
end
-- What a worker has counted since it last told, and its own totals as JSON; both '' where nothing is new.
-- What Redis could never add is passed over and counts as told: it would come again with each claim.
local function takeUsage(worker, added, own)
  if added == '' then return true end
  local isJson, counts = pcall(cjson.decode, added)
  local counted = true
  for field, by in pairs(isJson and type(counts) == 'table' and counts or {}) do
    local isWhole = type(by) == 'number' and by > 0 and by < 2 ^ 53 and by % 1 == 0
    if isWhole then counted = tally(field, by) and counted end
  end
  redis.pcall('HSET', USAGE, 'worker:' .. worker, own)
  return counted
end

-- A version ahead of the clock is above all that were, so that two calls which read the same one in a
-- destination do not both give the next. Only keys that are ahead are lifted by it.
local function apart(version, clock, now)
  if version <= clock then return version end
  local ahead = tonumber(redis.call('HGET', SETTINGS, 'ahead') or '0') or 0
  if ahead <= now + DAY_US then version = math.max(version, ahead + 1) end
  redis.call('HSET', SETTINGS, 'ahead', digits(version))
  return version
end

-- A dead letter; what the cap drops is counted. Returns an error table under OOM, as XADD does.
local function writeLetter(s, ...)
  local before = redis.call('XLEN', DEAD)
  local id = redis.pcall('XADD', DEAD, 'MAXLEN', s.maxDeadLetters, '*', ...)
  if type(id) == 'table' and id.err then return id end
  local dropped = before + 1 - redis.call('XLEN', DEAD)
  if dropped > 0 then redis.pcall('HINCRBY', SETTINGS, 'deadLettersDropped', dropped) end
  return id
end
`;

/** A script on the keys of one queue. */
export function queueScript(name: string, body: string): Script {
  const source = PRELUDE + body;
  return { name, source, sha: scriptSha(source) };
}

/** A script on destination keys, which lie in other slots than the queue: no script touches both. */
export function destinationScript(name: string, source: string): Script {
  return { name, source, sha: scriptSha(source) };
}
