// Lets go of work: done, failed, given up, cancelled. Growing commands come before shrinking
// ones, and settle and cancel only shrink, so that they work when Redis is out of memory.

import type { Link } from "../link.ts";
import { asFlatStrings } from "../replies.ts";
import { queueScript, type Script } from "./script.ts";

// Input: ARGV space · then for each item: entry id · key · version
// Output: {'settings'} if the vectors are of a space that the queue no longer has, else for each item
//   done   settled
//   gone   cancelled, settled by another, or superseded: only the entry is removed
//   newer  the entry stands for a newer text (only after lost data): nothing is removed
// By version, not by owner: a late worker whose vector was accepted has done the work.
const SETTLE: Script = queueScript(
  "settle",
  String.raw`
if outdated(settings(), ARGV[1]) then return { 'settings' } end
local keys, reply = {}, {}
local doneKeys, forgetKeys, doneIds = {}, {}, {}
for i = 3, #ARGV, 3 do keys[#keys + 1] = ARGV[i] end
local found = valuesOf(DEDUP, keys)
for i = 1, #keys do
  local id, key, version, value = ARGV[3 * i - 1], keys[i], ARGV[3 * i + 1], found[i]
  local head = version .. ' ' .. id .. '\n'
  local isAsClaimed = value and string.sub(value, 1, #head) == head -- mostly, and quicker than to take it apart
  local live = not isAsClaimed and parseDedup(value)
  if isAsClaimed or live and live.version == tonumber(version) then
    doneKeys[#doneKeys + 1] = key
    forgetKeys[#forgetKeys + 1] = key
    doneIds[#doneIds + 1] = id
    if live and live.id ~= id then doneIds[#doneIds + 1] = live.id end
    reply[i] = 'done'
  elseif live and live.id == id then
    reply[i] = 'newer'
  else
    doneIds[#doneIds + 1] = id
    if not live then forgetKeys[#forgetKeys + 1] = key end
    reply[i] = 'gone'
  end
end
each(doneKeys, 'HDEL', DEDUP)
if redis.call('HLEN', RETRIES) > 0 then each(forgetKeys, 'HDEL', RETRIES) end
each(doneIds, 'XACK', PENDING, GROUP)
each(doneIds, 'XDEL', PENDING)
ringIfFlushed()
return reply
`,
);

// Input: ARGV worker · '1' to ring for other workers ·
//   then for each item: entry id · key · version · '1' if an attempt is spent · backoff in ms
// Output: for each item a word and the failed attempts
//   parked  due again after the backoff; its delivery came back and is not a crash
//   giveUp  attempts are used up: still held, to be marked and then given up
//   gone    cancelled, or a newer text has an entry of its own: removed
//   lost    another worker holds it: nothing is done
//   newer   the entry stands for a newer text (only after lost data): parked, due at once
const FAIL: Script = queueScript(
  "fail",
  String.raw`
local me, s, reply = ARGV[1], settings(), {}
for i = 3, #ARGV, 5 do
  local id, key, version, spends, backoffMs = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2]), ARGV[i + 3] == '1', tonumber(ARGV[i + 4])
  local live, word, attempts = liveWork(key), nil, 0
  local owner, deliveries = ownerOf(id)
  if owner ~= me then
    word = 'lost'
  elseif not live or live.id ~= id then
    removeEntry(id)
    if not live then redis.call('HDEL', RETRIES, key) end
    word = 'gone'
  elseif live.version ~= version then
    park(id, s.leaseMs, 0)
    word = 'newer'
  else
    -- Out of memory the count is refused; an attempt too many harms nobody.
    local counted = spends and redis.pcall('HINCRBY', RETRIES, key, 1) or tonumber(redis.call('HGET', RETRIES, key) or '0')
    attempts = type(counted) == 'number' and counted or 0
    if spends and attempts >= s.maxAttempts then
      word = 'giveUp'
    else
      park(id, math.max(0, s.leaseMs - backoffMs), math.max(0, deliveries - 1))
      word = 'parked'
    end
  end
  reply[#reply + 1] = word
  reply[#reply + 1] = digits(attempts)
end
if ARGV[2] == '1' then ring('due') end
ringIfFlushed()
return reply
`,
);

// Input: ARGV for each item: entry id · key · version · reason. After the destination was marked.
// Output: for each item
//   dead         letter and settle in one step
//   gone         cancelled, settled by another, or superseded: no letter
//   newer        the entry stands for a newer text (only after lost data)
//   outOfMemory  nothing was removed: to be tried again
const GIVE_UP: Script = queueScript(
  "giveUp",
  String.raw`
local s, reply = settings(), {}
for i = 1, #ARGV, 4 do
  local id, key, version, reason = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2]), ARGV[i + 3]
  local live = liveWork(key)
  if live and live.version == version then
    local letter = writeLetter(s, 'key', key, 'text', textOf(live), 'version', digits(version),
      'reason', reason, 'attempts', redis.call('HGET', RETRIES, key) or '0')
    if type(letter) == 'table' then
      reply[#reply + 1] = 'outOfMemory'
    else
      redis.call('HDEL', DEDUP, key)
      redis.call('HDEL', RETRIES, key)
      removeEntry(id)
      if live.id ~= id then removeEntry(live.id) end
      reply[#reply + 1] = 'dead'
    end
  elseif live and live.id == id then
    reply[#reply + 1] = 'newer'
  else
    removeEntry(id)
    if not live then redis.call('HDEL', RETRIES, key) end
    reply[#reply + 1] = 'gone'
  end
end
ringIfFlushed()
return reply
`,
);

// Input: ARGV keys
// Output: for each key waiting | inFlight | absent. Field, count and entry go together.
const CANCEL: Script = queueScript(
  "cancel",
  String.raw`
local reply = {}
for i, key in ipairs(ARGV) do
  local live = liveWork(key)
  redis.call('HDEL', DEDUP, key)
  redis.call('HDEL', RETRIES, key)
  if live then
    local owner = ownerOf(live.id)
    removeEntry(live.id)
    reply[i] = (owner and owner ~= PARKED) and 'inFlight' or 'waiting'
    ring('gone ' .. key)
  else
    reply[i] = 'absent'
  end
end
ringIfFlushed()
return reply
`,
);

/** Names one piece of work: the entry, the key and the version that it stood for. */
export interface WorkId {
  readonly entryId: string;
  readonly key: string;
  readonly version: number;
}

export type SettleResult = "done" | "gone" | "newer";

/** Settles written work; undefined where the vectors are of a space that the queue no longer has. */
export async function runSettle(
  link: Link,
  space: string,
  work: readonly WorkId[],
): Promise<readonly SettleResult[] | undefined> {
  const args = [space];
  for (const { entryId, key, version } of work) args.push(entryId, key, String(version));
  const reply = asFlatStrings(await link.run(SETTLE, args));
  return reply[0] === "settings" ? undefined : (reply as SettleResult[]);
}

export interface Failure extends WorkId {
  readonly spendsAttempt: boolean;
  readonly backoffMs: number;
}

export interface FailResult {
  readonly word: "parked" | "giveUp" | "gone" | "lost" | "newer";
  readonly attempts: number;
}

/** Gives work back to the queue, due after its backoff; `rings` tells other workers that it is there. */
export async function runFail(
  link: Link,
  worker: string,
  failures: readonly Failure[],
  rings: boolean,
): Promise<readonly FailResult[]> {
  const args = [worker, rings ? "1" : "0"];
  for (const { entryId, key, version, spendsAttempt, backoffMs } of failures) {
    args.push(entryId, key, String(version), spendsAttempt ? "1" : "0", String(backoffMs));
  }
  const reply = asFlatStrings(await link.run(FAIL, args));
  return failures.map((_, i) => ({
    word: reply[2 * i] as FailResult["word"],
    attempts: Number(reply[2 * i + 1]),
  }));
}

export type GiveUpResult = "dead" | "gone" | "newer" | "outOfMemory";

/** Makes dead letters of work whose destinations are marked. */
export async function runGiveUp(
  link: Link,
  work: readonly (WorkId & { readonly reason: string })[],
): Promise<readonly GiveUpResult[]> {
  const args: string[] = [];
  for (const { entryId, key, version, reason } of work) {
    args.push(entryId, key, String(version), reason);
  }
  return asFlatStrings(await link.run(GIVE_UP, args)) as GiveUpResult[];
}

/** Takes outstanding work away, each key as one unit. */
export async function runCancel(
  link: Link,
  keys: readonly string[],
): Promise<readonly ("waiting" | "inFlight" | "absent")[]> {
  return asFlatStrings(await link.run(CANCEL, keys)) as ("waiting" | "inFlight" | "absent")[];
}
