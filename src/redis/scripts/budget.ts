// Rate budgets that all processes of an account share: what may be asked of a provider in a window.
// Their key belongs to no queue, so these scripts touch it alone.

import { MAX_TIMER_MS } from "../../model/check.ts";
import type { Link } from "../link.ts";
import { asList, asNumber, asText } from "../replies.ts";
import { destinationScript, type Script } from "./script.ts";

/** A window is counted in this many parts; what was asked in one part leaves the window together. */
const BUCKETS = 60;

/** The longest window. */
export const DAY_MS = 86_400_000;

/** How far apart the clocks of two servers may be, of which one takes the other's place. */
const CLOCK_SLACK_MS = 60_000;

// A field is "<window> <bucket> <what>": the window in ms, the number of its part since 1970, and r
// (requests) or t (tokens). One more, "hold", is the longest time in ms for which anybody has
// reserved. Anything else in the hash is removed.
const COUNTERS = String.raw`
local key = KEYS[1]
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
local kind = redis.call('TYPE', key).ok
if kind ~= 'hash' and kind ~= 'none' then redis.call('DEL', key) end
local function digits(number) return string.format('%.0f', number) end
-- A whole number that stays one when others are added; nil for anything else.
local function countOf(text)
  local count = text and string.match(text, '^%d+$') and tonumber(text)
  return count and count < 2 ^ 53 and count or nil
end
local function partMs(windowMs) return math.max(1, math.ceil(windowMs / ${BUCKETS})) end
local function bucketAt(windowMs, ms) return math.floor(ms / partMs(windowMs)) end
-- Fails only where it is the script's first write, out of memory: then nothing is done.
local function add(windowMs, ms, requests, tokens)
  local name = digits(windowMs) .. ' ' .. digits(bucketAt(windowMs, ms)) .. ' '
  for what, count in pairs({ r = requests, t = tokens }) do
    local field = name .. what
    if count ~= 0 then
      local before = redis.call('HGET', key, field)
      if before and not countOf(before) then redis.call('HDEL', key, field) end
      if redis.call('HINCRBY', key, field, digits(count)) <= 0 then redis.call('HDEL', key, field) end
    end
  end
end
-- Nobody needs the counters once their last part has left its window.
local function keep(windowMs, holdMs)
  local ms = holdMs + windowMs + 2 * partMs(windowMs)
  if redis.call('PTTL', key) < ms then redis.call('PEXPIRE', key, digits(ms)) end
end
`;

// Input: KEYS the budget · ARGV requests · tokens · how long the call may take in ms ·
//   for each window: its length in ms · most requests · most tokens (-1: no limit)
// Output: {0, '<now in ms>'}: reserved · {how long to wait in ms}
// A reservation stands where it would stand if its call ended as late as it may: a worker that dies
// is counted. Buckets count as long as any moment of theirs is in the window. What stands further
// ahead than any reservation can is left from before the clock stepped back, and removed.
const RESERVE: Script = destinationScript(
  "reserveBudget",
  String.raw`
${COUNTERS}
local requests, tokens, holdMs = countOf(ARGV[1]), countOf(ARGV[2]), tonumber(ARGV[3])
local held = countOf(redis.call('HGET', key, 'hold'))
local longestMs = math.max(holdMs, held and held <= ${MAX_TIMER_MS} and held or 0)
local windows, sums = {}, {}
for i = 4, #ARGV, 3 do
  local windowMs = tonumber(ARGV[i])
  windows[#windows + 1] = { ms = windowMs, r = tonumber(ARGV[i + 1]), t = tonumber(ARGV[i + 2]) }
  sums[ARGV[i]] = { r = 0, t = 0, list = {} }
end
local flat = redis.call('HGETALL', key)
for i = 1, #flat, 2 do
  local window, bucketText, what = string.match(flat[i], '^(%d+) (%d+) ([rt])$')
  local windowMs, bucket, count = countOf(window), countOf(bucketText), countOf(flat[i + 1])
  local isCounter = windowMs and windowMs <= ${DAY_MS} and bucket and count and count > 0
  local isNear = isCounter and bucket >= bucketAt(windowMs, nowMs - windowMs)
    and bucket <= bucketAt(windowMs, nowMs + longestMs + ${CLOCK_SLACK_MS})
  if not isNear then
    if flat[i] ~= 'hold' then redis.call('HDEL', key, flat[i]) end
  elseif sums[window] then
    local sum = sums[window]
    sum[what] = sum[what] + count
    sum.list[#sum.list + 1] = { bucket = bucket, what = what, count = count }
  end
end
local waitMs = 0
for _, window in ipairs(windows) do
  local sum = sums[digits(window.ms)]
  table.sort(sum.list, function(a, b) return a.bucket < b.bucket end)
  for what, asked in pairs({ r = requests, t = tokens }) do
    local most = window[what]
    -- What alone is more than the whole budget goes when nothing else is in the window.
    local excess = most < 0 and 0 or sum[what] + math.min(asked, most) - most
    for _, part in ipairs(sum.list) do
      if excess <= 0 then break end
      if part.what == what then
        excess = excess - part.count
        -- A reservation may be settled any moment: then it counts from now on.
        local fromMs = math.min(nowMs, part.bucket * partMs(window.ms))
        waitMs = math.max(waitMs, fromMs + partMs(window.ms) + window.ms - nowMs)
      end
    end
  end
end
if waitMs == 0 then
  for _, window in ipairs(windows) do add(window.ms, nowMs + holdMs, requests, tokens) end
  if held ~= longestMs then redis.call('HSET', key, 'hold', digits(longestMs)) end
end
for _, window in ipairs(windows) do keep(window.ms, longestMs) end
return waitMs > 0 and { math.ceil(waitMs) } or { 0, digits(nowMs + holdMs) }
`,
);

// Input: KEYS the budget · ARGV where the reservation stands in ms · requests · tokens reserved ·
//   requests · tokens used · the length of each window in ms
// A call counts from its end: the provider saw it before, so that no window of the provider's holds
// more. It is put there before its reservation is taken away.
const SETTLE: Script = destinationScript(
  "settleBudget",
  String.raw`
${COUNTERS}
local atMs, requests, tokens = tonumber(ARGV[1]), countOf(ARGV[2]), countOf(ARGV[3])
local usedRequests, usedTokens = countOf(ARGV[4]), countOf(ARGV[5])
for i = 6, #ARGV do add(tonumber(ARGV[i]), nowMs, usedRequests, usedTokens) end
for i = 6, #ARGV do
  add(tonumber(ARGV[i]), atMs, -requests, -tokens)
  keep(tonumber(ARGV[i]), 0)
end
return 'OK'
`,
);

/** What a window allows. */
export interface BudgetWindow {
  readonly windowMs: number;
  /** Undefined where there is no such limit. */
  readonly requests: number | undefined;
  readonly tokens: number | undefined;
}

/** What one call asks for, or has used: whole numbers. */
export interface BudgetUse {
  readonly requests: number;
  readonly tokens: number;
}

/** The key of an account's budget. */
export function budgetKey(account: string): string {
  return `{embedq:${account}}:budget`;
}

export type ReserveReply =
  | { readonly waitMs: number }
  | {
      /** Where the reservation stands; for the settle. */
      readonly at: string;
    };

/** Reserves what one call asks for in every window, or says how long to wait. After a lost reply it may stand twice, until the call would have ended: too much is counted, never too little. */
export async function runReserveBudget(
  link: Link,
  key: string,
  use: BudgetUse,
  holdMs: number,
  windows: readonly BudgetWindow[],
): Promise<ReserveReply> {
  const [wait, at] = asList(
    await link.runOn(
      RESERVE,
      [key],
      [
        ...[use.requests, use.tokens, holdMs].map(String),
        ...windows.flatMap(({ windowMs, requests = -1, tokens = -1 }) =>
          [windowMs, requests, tokens].map(String),
        ),
      ],
    ),
  );
  const waitMs = asNumber(wait);
  return waitMs > 0 ? { waitMs } : { at: asText(at) };
}

/** Puts what a call has used in the place of what was reserved. Not repeated: taken away twice, too little would be counted. */
export async function runSettleBudget(
  link: Link,
  key: string,
  at: string,
  reserved: BudgetUse,
  used: BudgetUse,
  windows: readonly BudgetWindow[],
): Promise<void> {
  await link.runOn(
    SETTLE,
    [key],
    [
      at,
      ...[reserved.requests, reserved.tokens, used.requests, used.tokens].map(String),
      ...windows.map(({ windowMs }) => String(windowMs)),
    ],
    { repeats: false },
  );
}
