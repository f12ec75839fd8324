// A version for texts that are read afterwards, as a walk does. A text that its owner enqueues
// meanwhile gets a larger one and wins, however much later the walk comes to its own enqueue.

import type { Link } from "../link.ts";
import { asList, asNumber } from "../replies.ts";
import { queueScript, type Script } from "./script.ts";

// Output: { a version that no text has, entries on the stream }
const RESERVE: Script = queueScript(
  "reserve",
  String.raw`
local now = nowUs()
local clock = tonumber(redis.call('GET', CLOCK) or '0') or 0
if clock > now + DAY_US then clock = 0 end -- damaged
local version = digits(math.max(clock, now - 1) + 1)
redis.call('SET', CLOCK, version)
return { version, redis.call('XLEN', PENDING) }
`,
);

export interface Reservation {
  /** Larger than that of every text enqueued before, smaller than that of any enqueued later. */
  readonly version: number;
  /** Texts that are not settled. */
  readonly outstanding: number;
}

export async function runReserve(link: Link): Promise<Reservation> {
  const reply = asList(await link.run(RESERVE, []));
  return { version: asNumber(reply[0]), outstanding: asNumber(reply[1]) };
}
