// The pause that all workers of a queue share when the provider asks for one or is away. Why it began,
// and the pauses that workers make by their own fault, stand in the usage key for those who look; nothing
// is decided by them.

import type { Link } from "../link.ts";
import { asNumber } from "../replies.ts";
import { queueScript, type Script } from "./script.ts";

// Input: ARGV the pause the provider asked for in ms, -1 if it named none · base in ms · most in ms ·
//   a number in [0, 1) for jitter · '1' if the call that failed was the probe · why
// Output: the pause in ms from now
// Without a named time the pause doubles with each failed probe; failures of calls that were under
// way when it began do not count as probes.
const START: Script = queueScript(
  "startCooldown",
  String.raw`
local asked, base, most, chance = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local nowMs = nowUs() / 1000
local untilText, levelText = string.match(redis.call('GET', COOLDOWN) or '', '^(%d+) (%d+)$')
local untilMs, level = tonumber(untilText or '0'), tonumber(levelText or '0')
local probeFailed = ARGV[5] == '1'
if level == 0 or untilMs <= nowMs or probeFailed then
  level = level + 1
  if probeFailed then untilMs = 0 end
end
local pauseMs = asked
-- A named time that has proved too short does not make the probes a storm.
if level > 1 then pauseMs = math.max(asked, math.min(most, base * 2 ^ (level - 2))) end
if asked < 0 then pauseMs = math.min(most, base * 2 ^ (level - 1)) * (1 - 0.2 * chance) end
untilMs = math.max(untilMs, nowMs + pauseMs)
local leftMs = math.ceil(untilMs - nowMs)
redis.call('SET', COOLDOWN, digits(untilMs) .. ' ' .. digits(level), 'PX', leftMs + 3600000)
-- Out of memory: no reason is better than that of an earlier pause.
local told = redis.pcall('HSET', USAGE, 'cooldown', ARGV[6])
if type(told) == 'table' then redis.pcall('HDEL', USAGE, 'cooldown') end
ring('cooldown ' .. digits(leftMs))
return leftMs
`,
);

const END: Script = queueScript(
  "endCooldown",
  String.raw`
local ended = redis.call('DEL', COOLDOWN)
if ended > 0 then ring('due') end
return ended
`,
);

// The claim has put the pause off until the probe is through; without a probe it is over as before.
const RETURN_PROBE: Script = queueScript(
  "returnProbe",
  String.raw`
local level = string.match(redis.call('GET', COOLDOWN) or '', '^%d+ (%d+)$')
if level then
  redis.call('SET', COOLDOWN, digits(nowUs() / 1000) .. ' ' .. level, 'PX', 3600000)
  ring('due')
end
return 'OK'
`,
);

// Input: ARGV worker · how long its pause is from now on, in ms · why
const NOTE_PAUSE: Script = queueScript(
  "notePause",
  String.raw`
local nowMs = math.floor(nowUs() / 1000)
local note = digits(nowMs) .. ' ' .. digits(nowMs + tonumber(ARGV[2])) .. ' ' .. ARGV[3]
redis.pcall('HSET', USAGE, 'pause:' .. ARGV[1], note)
return 'OK'
`,
);

export interface CooldownArguments {
  /** The pause that the provider named; undefined where it named none. */
  readonly askedMs: number | undefined;
  readonly baseMs: number;
  readonly maxMs: number;
  /** The call that failed was the probe after a pause. */
  readonly isProbe: boolean;
  readonly random: number;
  /** Why, on one line. */
  readonly reason: string;
}

/** Begins or prolongs the pause; returns how long it lasts from now, in milliseconds. */
export async function runStartCooldown(link: Link, request: CooldownArguments): Promise<number> {
  return asNumber(
    await link.run(START, [
      String(request.askedMs ?? -1),
      String(request.baseMs),
      String(request.maxMs),
      String(request.random),
      request.isProbe ? "1" : "0",
      request.reason,
    ]),
  );
}

/** Ends the pause; true if there was one. */
export async function runEndCooldown(link: Link): Promise<boolean> {
  return asNumber(await link.run(END, [])) > 0;
}

/** Gives the right to probe back, unused. */
export async function runReturnProbe(link: Link): Promise<void> {
  await link.run(RETURN_PROBE, []);
}

/** A worker's own pause, which begins now. */
export interface OwnPause {
  readonly worker: string;
  readonly pauseMs: number;
  /** Why, on one line. */
  readonly reason: string;
}

/** Leaves word of a worker's own pause. */
export async function runNotePause(link: Link, pause: OwnPause): Promise<void> {
  const { worker, pauseMs, reason } = pause;
  await link.run(NOTE_PAUSE, [worker, String(Math.round(pauseMs)), reason]);
}

/** Takes back the word of a worker's own pause. */
export async function forgetPause(link: Link, worker: string): Promise<void> {
  await link.send(["HDEL", link.keys.usage, `pause:${worker}`]);
}
