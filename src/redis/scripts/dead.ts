// Dead letters: sent back and removed. Reading them is a plain XRANGE.

import type { SendBackResult } from "../../model/outcome.ts";
import type { Link } from "../link.ts";
import { asFlatStrings } from "../replies.ts";
import { queueScript, type Script } from "./script.ts";

// Input: ARGV letter id · the newest version known of the key, outstanding or stored
// Output: {'absent'} | {'malformed'} (has no text) | {'superseded'} | {'queued', key, version}
// Never over a newer text, outstanding or written: such a letter is only removed.
const SEND_BACK: Script = queueScript(
  "sendBack",
  String.raw`
local letter = redis.call('XRANGE', DEAD, ARGV[1], ARGV[1])[1]
if not letter then return { 'absent' } end
local fields = pairsOf(letter[2])
local key, text, version = fields['key'], fields['text'], tonumber(fields['version'] or '')
if not key or not text or not version then return { 'malformed' } end
local now, floor = nowUs(), tonumber(ARGV[2])
if floor > now + DAY_US then floor = 0 end -- damaged
if liveWork(key) or floor > version then
  redis.call('XDEL', DEAD, ARGV[1])
  return { 'superseded' }
end
local clock = tonumber(redis.call('GET', CLOCK) or '0') or 0
if clock > now + DAY_US then clock = 0 end
clock = math.max(clock, now - 1) + 1
redis.call('SET', CLOCK, digits(clock))
version = apart(math.max(clock, floor + 1, version + 1), clock, now)
local before = waitingCount()
local id = redis.call('XADD', PENDING, '*', 'key', key)
redis.call('HSET', DEDUP, key, dedupValue(version, id, text))
redis.call('HDEL', RETRIES, key)
redis.call('XDEL', DEAD, ARGV[1])
if before <= 0 then ring('timer') end
if before + 1 >= settings().maxBatchSize then ring('due') end
return { 'queued', key, digits(version) }
`,
);

/** Puts the text of a dead letter on the stream again, with a new version. */
export async function runSendBack(
  link: Link,
  letterId: string,
  newestVersion: number,
): Promise<SendBackResult> {
  const [status, key = "", version] = asFlatStrings(
    await link.run(SEND_BACK, [letterId, String(newestVersion)]),
  );
  if (status === "queued") return { status, key, version: Number(version) };
  return { status: status as "absent" | "malformed" | "superseded" };
}
