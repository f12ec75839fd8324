// Rate budgets that all processes of an account share: what may be asked of a provider in a window.
// Their key belongs to no queue, so these scripts touch it alone.

import type { Link } from "../link.ts";
import { asList, asNumber, asText } from "../replies.ts";
import { destinationScript, type Script } from "./script.ts";

/** A window is counted in this many parts; what was asked in one part leaves the window together. */
const BUCKETS = 60;

// A field is "<window> <bucket> <what>": the window in ms, the number of its part since 1970, and r
// (requests) or t (tokens). Anything else in the hash is removed.
const COUNTERS = String.raw`
local key = KEYS[1]
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
if redis.call('TYPE', key).ok ~= 'hash' then redis.call('DEL', key) end
local function digits(number) return string.format('%.0f', number) end
local function partMs(windowMs) return math.max(1, math.ceil(windowMs / ${BUCKETS})) end
local function bucketAt(windowMs, ms) return math.floor(ms / partMs(windowMs)) end
local function add(windowMs, bucket, requests, tokens)
  local name = digits(windowMs) .. ' ' .. digits(bucket) .. ' '
  for what, count in pairs({ r = requests, t = tokens }) do
    if count ~= 0 and redis.call('HINCRBY', key, name .. what, digits(count)) <= 0 then
      redis.call('HDEL', key, name .. what)
    end
  end
end
-- Nobody needs the counters once their last part has left its window.
local function keep(ms) if redis.call('PTTL', key) < ms then redis.call('PEXPIRE', key, digits(ms)) end end
`;

// Input: KEYS the budget · ARGV requests · tokens · how long the call may take in ms ·
//   for each window: its length in ms · most requests · most tokens (-1: no limit)
// Output: {0, '<now in ms>'}: reserved · {how long to wait in ms}
// A reservation stands where it would stand if its call ended as late as it may: a worker that dies
// is counted. Buckets count as long as any moment of theirs is in the window.
const RESERVE: Script = destinationScript(
  "reserveBudget",
  String.raw`
${COUNTERS}
local requests, tokens, holdMs = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local windows, sums = {}, {}
for i = 4, #ARGV, 3 do
  local windowMs = tonumber(ARGV[i])
  windows[#windows + 1] = { ms = windowMs, r = tonumber(ARGV[i + 1]), t = tonumber(ARGV[i + 2]) }
  sums[ARGV[i]] = { r = 0, t = 0, list = {} }
end
local flat = redis.call('HGETALL', key)
for i = 1, #flat, 2 do
  local window, bucketText, what = string.match(flat[i], '^(%d+) (%d+) ([rt])$')
  local bucket, count = tonumber(bucketText or ''), tonumber(flat[i + 1])
  local windowMs = tonumber(window or '')
  local isNear = bucket and count and count > 0 and bucket <= bucketAt(windowMs, nowMs + windowMs + 86400000)
  if not isNear or bucket < bucketAt(windowMs, nowMs - windowMs) then
    redis.call('HDEL', key, flat[i])
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
if waitMs > 0 then return { math.ceil(waitMs) } end
for _, window in ipairs(windows) do
  add(window.ms, bucketAt(window.ms, nowMs + holdMs), requests, tokens)
  keep(holdMs + 2 * window.ms)
end
return { 0, digits(nowMs + holdMs) }
`,
);

// Input: KEYS the budget · ARGV where the reservation stands in ms · requests · tokens reserved ·
//   requests · tokens used · the length of each window in ms
// A call counts from its end: the provider saw it before, so that no window of the provider's holds more.
const SETTLE: Script = destinationScript(
  "settleBudget",
  String.raw`
${COUNTERS}
local atMs, requests, tokens = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local usedRequests, usedTokens = tonumber(ARGV[4]), tonumber(ARGV[5])
for i = 6, #ARGV do
  local windowMs = tonumber(ARGV[i])
  add(windowMs, bucketAt(windowMs, atMs), -requests, -tokens)
  add(windowMs, bucketAt(windowMs, nowMs), usedRequests, usedTokens)
  if redis.call('EXISTS', key) == 1 then keep(2 * windowMs) end
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

/** What one call asks for, or has used. */
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
