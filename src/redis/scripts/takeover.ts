// The keys of the Python module that embedq replaces: sorted sets of members, and what goes with them.
// Here embedq acts like one more worker of the module, so the module may go on meanwhile. The keys have
// no hash tag, and each script touches several: this works on a single Redis, as the module does.

import type { Link } from "../link.ts";
import { asFlatStrings, asList, asNumber, asText, type Reply } from "../replies.ts";
import { destinationScript, type Script } from "./script.ts";

// Scores are times in seconds: of the enqueue, or of the claim. In `taken`, which is embedq's own, stands
// for each member in embedq's hands "<time of its enqueue> <score of the claim> <who claimed>". It holds while
// the member has that score; so a text that a crash of ours left keeps the time by which newer ones are told.
const PRELUDE = String.raw`
local PENDING, INFLIGHT, DEDUP, RETRIES, TAKEN = unpack(KEYS)
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local function scoreIn(set, member) return tonumber(redis.call('ZSCORE', set, member) or nil) end
local function takenAt(member)
  local since, token, owner = string.match(redis.call('HGET', TAKEN, member) or '', '^(%S+) (%S+) (%S+)$')
  return since, tonumber(token), owner
end
`;

// Input: ARGV 'pending' or 'inflight' · age in seconds from which on a member in flight is an orphan ·
//   members to pass over · the most to return
// Output: { members in flight that are no orphans, a list of members }
const LOOK: Script = destinationScript(
  "lookAtModule",
  String.raw`${PRELUDE}
local cutoff, offset, count = now - tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local bound = string.format('%.6f', cutoff)
local young = redis.call('ZCOUNT', INFLIGHT, '(' .. bound, '+inf')
if ARGV[1] == 'pending' then
  return { young, redis.call('ZRANGE', PENDING, offset, offset + count - 1) }
end
return { young, redis.call('ZRANGEBYSCORE', INFLIGHT, '-inf', bound, 'LIMIT', offset, count) }
`,
);

// Input: ARGV 'pending' or 'inflight' · age in seconds of an orphan · a name for who claims ·
//   then for each member: member · its key
// Output: for each member a word, the time of its enqueue, and the score that it has now
//   taken       in our hands, as the module's own claim would have it; also where this was sent twice
//   superseded  the module holds a newer text of the key: it is removed
//   gone        somebody else has it
// What grows comes before what shrinks: refused for lack of memory, it has lost nothing.
const CLAIM: Script = destinationScript(
  "claimFromModule",
  String.raw`${PRELUDE}
local isOrphan, cutoff, reply = ARGV[1] == 'inflight', now - tonumber(ARGV[2]), {}
local source = isOrphan and INFLIGHT or PENDING
for i = 4, #ARGV, 2 do
  local member, key, word, since, token = ARGV[i], ARGV[i + 1], 'gone', '', ''
  local score = redis.call('ZSCORE', source, member)
  local earlier, claimedAt, owner = takenAt(member)
  if score and not (isOrphan and tonumber(score) > cutoff) then
    local newest = redis.call('HGET', DEDUP, key)
    if newest and newest ~= member and (scoreIn(PENDING, newest) or scoreIn(INFLIGHT, newest)) then
      redis.call('ZREM', source, member)
      redis.call('HDEL', TAKEN, member)
      word = 'superseded'
    else
      word, since = 'taken', score
      if isOrphan and claimedAt == tonumber(score) then since = earlier end
      redis.call('ZADD', INFLIGHT, string.format('%.6f', now), member)
      token = redis.call('ZSCORE', INFLIGHT, member)
      redis.call('HSET', TAKEN, member, since .. ' ' .. token .. ' ' .. ARGV[3])
      if not isOrphan then redis.call('ZREM', PENDING, member) end
    end
  elseif owner == ARGV[3] and scoreIn(INFLIGHT, member) == claimedAt then
    word, since, token = 'taken', earlier, redis.call('ZSCORE', INFLIGHT, member)
  end
  reply[#reply + 1] = word
  reply[#reply + 1] = since
  reply[#reply + 1] = token
end
return reply
`,
);

// Input: ARGV for each member: member · its key · the score that the claim gave it
// Output: members that were still ours. What the module took back, or holds anew, stays.
const RELEASE: Script = destinationScript(
  "releaseFromModule",
  String.raw`${PRELUDE}
local released = 0
for i = 1, #ARGV, 3 do
  local member, key, token = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
  local _, claimedAt = takenAt(member)
  if claimedAt == token then redis.call('HDEL', TAKEN, member) end
  if scoreIn(INFLIGHT, member) == token then
    released = released + 1
    local newest = redis.call('HGET', DEDUP, key)
    -- A newer text, or this one once more: its tracking is its own.
    if (not newest or newest == member) and not scoreIn(PENDING, member) then
      redis.call('HDEL', DEDUP, key)
      redis.call('HDEL', RETRIES, key)
    end
    redis.call('ZREM', INFLIGHT, member)
  end
end
return released
`,
);

// Input: ARGV HSCAN cursor, '0' at first
// Output: next cursor. Removes what a crash of ours left of members that the module has taken back since.
const SWEEP: Script = destinationScript(
  "sweepTaken",
  String.raw`${PRELUDE}
local page = redis.call('HSCAN', TAKEN, ARGV[1], 'COUNT', 200)
for i = 1, #page[2], 2 do
  local member = page[2][i]
  local _, claimedAt = takenAt(member)
  if not claimedAt or scoreIn(INFLIGHT, member) ~= claimedAt then redis.call('HDEL', TAKEN, member) end
end
return page[1]
`,
);

/** Which of the module's sorted sets: what waits, or what a worker has claimed. */
export type ModuleSet = "pending" | "inflight";

/** The module's keys, and how one take-over works on them. */
export interface ModuleKeys {
  readonly link: Link;
  readonly prefix: string;
  /** From this age on a claimed member is an orphan. */
  readonly ageSeconds: number;
  /** Names this take-over among others. */
  readonly owner: string;
}

/** A member as it stands in Redis: bytes, as another spelling of the same JSON would be another member. */
export interface ModuleMember {
  readonly member: Uint8Array;
  readonly key: string;
}

export interface ModuleLook {
  /** Members that a live worker of the module may hold. */
  readonly young: number;
  readonly members: readonly Uint8Array[];
}

/** Reads members without touching them, from the oldest on. */
export async function lookAtModule(
  module: ModuleKeys,
  set: ModuleSet,
  offset: number,
  count: number,
): Promise<ModuleLook> {
  const args = [set, String(module.ageSeconds), String(offset), String(count)];
  const [young, members] = asList(await run(module, LOOK, args, true));
  return {
    young: asNumber(young),
    members: asList(members).filter((member) => member instanceof Uint8Array),
  };
}

export interface ModuleClaim {
  readonly word: "taken" | "superseded" | "gone";
  /** When the text was enqueued, in seconds since 1970 as Redis spells it; if it was tried before, when that was. */
  readonly since: string;
  /** By this score the member is known as ours. */
  readonly token: string;
}

/** Takes members as a worker of the module does: if we die, they are orphans in its sorted set. */
export async function claimFromModule(
  module: ModuleKeys,
  set: ModuleSet,
  members: readonly ModuleMember[],
): Promise<readonly ModuleClaim[]> {
  const args: (string | Uint8Array)[] = [set, String(module.ageSeconds), module.owner];
  for (const { member, key } of members) args.push(member, key);
  const reply = asFlatStrings(await run(module, CLAIM, args));
  return members.map((_, i) => ({
    word: reply[3 * i] as ModuleClaim["word"],
    since: reply[3 * i + 1] ?? "",
    token: reply[3 * i + 2] ?? "",
  }));
}

/** Removes members that were taken, and what the module kept for their keys. */
export async function releaseFromModule(
  module: ModuleKeys,
  members: readonly (ModuleMember & { readonly token: string })[],
): Promise<void> {
  await run(
    module,
    RELEASE,
    members.flatMap(({ member, key, token }) => [member, key, token]),
  );
}

/** Removes what is left of claims of ours that the module took back. */
export async function sweepTaken(module: ModuleKeys): Promise<void> {
  let cursor = "0";
  do {
    cursor = asText(await run(module, SWEEP, [cursor]));
  } while (cursor !== "0");
}

const PARTS = ["pending", "inflight", "dedup", "retries", "taken"];

function run(
  { link, prefix }: ModuleKeys,
  script: Script,
  args: readonly (string | Uint8Array)[],
  binary = false,
): Promise<Reply> {
  const keys = PARTS.map((part) => `${prefix}:${part}`);
  return link.runOn(script, keys, args, { binary });
}
