// What all processes agree on: written by the first start, adopted by later ones, changed for all
// by configure.

import {
  DEFAULT_SETTINGS,
  PROTOCOL,
  type RequestedSettings,
  type StoredSettings,
} from "../../model/settings.ts";
import type { Link } from "../link.ts";
import { asFlatStrings, asNumber } from "../replies.ts";
import { queueScript, type Script } from "./script.ts";

const PAIRS = String.raw`
local function storedPairs()
  local s = settings()
  local raw = redis.call('HMGET', SETTINGS, 'model', 'dimensions', 'task', 'field')
  return { raw[1] or '', raw[2] or '', raw[3] or '', raw[4] or '${DEFAULT_SETTINGS.field}', digits(s.maxBatchSize), digits(s.flushIntervalMs),
    digits(s.leaseMs), digits(s.maxAttempts), digits(s.maxDeadLetters) }
end
local function asksOtherProtocol()
  local protocol = redis.call('HGET', SETTINGS, 'protocol')
  return protocol and protocol ~= '${PROTOCOL}' and protocol
end
`;

// Input: ARGV '1' if the queue must have settings already · then for each setting: name · value ·
//   '1' if it is asked for, '0' if it only fills a gap
// Output: {'missing'} · {'protocol', found} · {'conflict', name, stored, asked, …} ·
//   {'ok', the settings in order}
// Nothing is written unless all agree.
const JOIN: Script = queueScript(
  "join",
  String.raw`
${PAIRS}
local other = asksOtherProtocol()
if other then return { 'protocol', other } end
local isNew = not redis.call('HGET', SETTINGS, 'protocol')
if isNew and ARGV[1] == '1' then return { 'missing' } end
local conflicts, missing = { 'conflict' }, {}
for i = 2, #ARGV, 3 do
  local stored = redis.call('HGET', SETTINGS, ARGV[i])
  if not stored then
    missing[#missing + 1] = ARGV[i]
    missing[#missing + 1] = ARGV[i + 1]
  elseif ARGV[i + 2] == '1' and stored ~= ARGV[i + 1] then
    conflicts[#conflicts + 1] = ARGV[i]
    conflicts[#conflicts + 1] = stored
    conflicts[#conflicts + 1] = ARGV[i + 1]
  end
end
if #conflicts > 1 then return conflicts end
-- Not where nothing is new: out of memory, a process must be able to join and free some.
if #missing > 0 or isNew then
  redis.call('HSET', SETTINGS, 'protocol', '${PROTOCOL}', unpack(missing))
end
return { 'ok', unpack(storedPairs()) }
`,
);

// Input: ARGV pairs of name and value to store
// Output: {'protocol', found} · {'half', stored model, stored dimensions}: a model without dimensions
//   or the reverse · {'busy', texts in flight} · {'ok', the settings in order}
// Another vector space or field needs a moment without work in flight: a call under way is for the old one.
const CONFIGURE: Script = queueScript(
  "configure",
  String.raw`
${PAIRS}
local other = asksOtherProtocol()
if other then return { 'protocol', other } end
local movesSpace, leaseMs = false, nil
local asked = pairsOf(ARGV)
local space = redis.call('HMGET', SETTINGS, 'model', 'dimensions')
local isNamed = (asked['model'] or space[1]) and true or false
local isSized = (asked['dimensions'] or space[2]) and true or false
-- The dimensions of one model say nothing of those of another.
local isMoved = space[1] and asked['model'] and space[1] ~= asked['model']
if isNamed ~= isSized or (isMoved and not asked['dimensions']) then
  return { 'half', space[1] or '', space[2] or '' }
end
for i = 1, #ARGV, 2 do
  local name = ARGV[i]
  if name == 'leaseMs' then leaseMs = tonumber(ARGV[i + 1]) end
  if name == 'model' or name == 'dimensions' or name == 'task' or name == 'field' then
    local stored = redis.call('HGET', SETTINGS, name)
    movesSpace = movesSpace or (stored and stored ~= ARGV[i + 1])
  end
end
if movesSpace then
  local inFlight = inGroup() - parkedCount()
  if inFlight > 0 then return { 'busy', digits(inFlight) } end
end
if leaseMs then
  -- A backoff is what is left from the idle time to the lease: it must not change with the lease.
  local longer = leaseMs - settings().leaseMs
  local count = parkedCount()
  for _, entry in ipairs(count > 0 and redis.call('XPENDING', PENDING, GROUP, '-', '+', count, PARKED) or {}) do
    park(entry[1], digits(math.max(0, entry[3] + longer)), entry[4])
  end
end
redis.call('HSET', SETTINGS, 'protocol', '${PROTOCOL}', unpack(ARGV))
ring('settings')
return { 'ok', unpack(storedPairs()) }
`,
);

// Input: ARGV '1' to pause, '0' to resume
// A resume also ends the cool-down, in such a way that the next claim is its probe, and leaves its
// moment behind for workers that do not hear the ring.
const PAUSE: Script = queueScript(
  "pause",
  String.raw`
if ARGV[1] == '1' then
  redis.call('HSET', SETTINGS, 'paused', '1')
else
  local nowMs = digits(math.floor(nowUs() / 1000))
  local level = string.match(redis.call('GET', COOLDOWN) or '', '^%d+ (%d+)$')
  local over = level and redis.pcall('SET', COOLDOWN, nowMs .. ' ' .. level, 'PX', 3600000)
  -- Out of memory, or damaged: without a probe, but over.
  if not over or over.err then redis.call('DEL', COOLDOWN) end
  redis.pcall('HSET', SETTINGS, 'resumedAt', nowMs)
  redis.call('HDEL', SETTINGS, 'paused')
  ring('resumed')
  ring('due')
end
return 'OK'
`,
);

// Output: how long ago the last resume was, in ms; -1 where there was none
const SINCE_RESUME: Script = queueScript(
  "sinceResume",
  String.raw`
local atMs = tonumber(string.match(redis.call('HGET', SETTINGS, 'resumedAt') or '', '^%d+$') or '')
return atMs and math.floor(nowUs() / 1000 - atMs) or -1
`,
);

export type SettingsReply =
  | { readonly status: "ok"; readonly settings: StoredSettings }
  | { readonly status: "missing" }
  | { readonly status: "protocol"; readonly found: string }
  | { readonly status: "half"; readonly model: string; readonly dimensions: string }
  | { readonly status: "busy"; readonly inFlight: number }
  | { readonly status: "conflict"; readonly conflicts: readonly SettingConflict[] };

export interface SettingConflict {
  readonly name: string;
  readonly stored: string;
  readonly asked: string;
}

/**
 * Agrees with what is stored, and stores what is not there yet; `gaps` are never in conflict.
 *
 * @param mustExist Whether nothing is stored for a queue that has no settings at all.
 */
export function runJoin(
  link: Link,
  asked: RequestedSettings,
  gaps: RequestedSettings,
  mustExist = false,
): Promise<SettingsReply> {
  const args = [mustExist ? "1" : "0"];
  for (const [name, value] of pairs(asked)) args.push(name, value, "1");
  const names = new Set(pairs(asked).map(([name]) => name));
  for (const [name, value] of pairs(gaps)) if (!names.has(name)) args.push(name, value, "0");
  return run(link, JOIN, args);
}

/** Stores new values for all processes. */
export function runConfigure(link: Link, asked: RequestedSettings): Promise<SettingsReply> {
  return run(link, CONFIGURE, pairs(asked).flat());
}

/** Stops or allows claims for the whole queue; allowing them also ends its cool-down. */
export async function runPause(link: Link, isPaused: boolean): Promise<void> {
  await link.run(PAUSE, [isPaused ? "1" : "0"]);
}

/** How long ago the queue was resumed last, in milliseconds; undefined where it never was. */
export async function runSinceResume(link: Link): Promise<number | undefined> {
  const sinceMs = asNumber(await link.run(SINCE_RESUME, []));
  return sinceMs < 0 ? undefined : sinceMs;
}

function pairs(settings: RequestedSettings): [name: string, value: string][] {
  return Object.entries(settings)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, String(value)]);
}

async function run(link: Link, script: Script, args: readonly string[]): Promise<SettingsReply> {
  const [status, ...rest] = asFlatStrings(await link.run(script, args));
  if (status === "missing") return { status };
  if (status === "protocol") return { status, found: rest[0] ?? "" };
  if (status === "half") return { status, model: rest[0] ?? "", dimensions: rest[1] ?? "" };
  if (status === "busy") return { status, inFlight: Number(rest[0]) };
  if (status === "conflict") {
    const conflicts: SettingConflict[] = [];
    for (let at = 0; at < rest.length; at += 3) {
      const [name = "", stored = "", wanted = ""] = rest.slice(at, at + 3);
      conflicts.push({ name, stored, asked: wanted });
    }
    return { status, conflicts };
  }
  const [model = "", dimensions, task = "", field = DEFAULT_SETTINGS.field, ...numbers] = rest;
  const [maxBatchSize = 0, flushIntervalMs = 0, leaseMs = 0, maxAttempts = 0, maxDeadLetters = 0] =
    numbers.map(Number);
  return {
    status: "ok",
    settings: {
      space: model === "" ? undefined : { model, dimensions: Number(dimensions), task },
      maxBatchSize,
      flushIntervalMs,
      leaseMs,
      maxAttempts,
      maxDeadLetters,
      field,
    },
  };
}
