// Jobs as they travel in the replies of claim and adopt: six values each.

import type { Job } from "../../model/job.ts";
import { asNumber, asText, type Reply } from "../replies.ts";

/** Deliveries lost from which on a text is handed out alone. */
export const SOLO_AFTER = 2;

/** Deliveries lost at which a text is given up: the last two of them it was alone. */
export const GIVE_UP_AFTER = 4;

/** The Lua side. */
export const JOBS_IN_LUA: string = String.raw`
local function keyOf(entry)
  local fields = entry[2]
  local key = fields[1] == 'key' and #fields == 2 and fields[2] or pairsOf(fields)['key']
  return key and isText(key) and key or nil
end
-- The dedup value goes out as it is: taking it apart is the reader's work, not the server's.
local function addJob(jobs, kind, id, key, value, attempts, deliveries)
  local n = #jobs
  jobs[n + 1], jobs[n + 2], jobs[n + 3], jobs[n + 4] = kind, id, key, value
  jobs[n + 5], jobs[n + 6] = attempts, deliveries
end
local function attemptsOf(key) return tonumber(redis.call('HGET', RETRIES, key) or '0') or 0 end
`;

/** The TypeScript side. */
export function jobsOf(flat: readonly Reply[]): Job[] {
  const jobs: Job[] = [];
  for (let at = 0; at < flat.length; at += 6) {
    const value = asText(flat[at + 3]);
    jobs.push({
      kind: asText(flat[at]) as Job["kind"],
      entryId: asText(flat[at + 1]),
      key: asText(flat[at + 2]),
      version: Number(value.slice(0, value.indexOf(" "))),
      text: value.slice(value.indexOf("\n") + 1),
      attempts: asNumber(flat[at + 4]),
      deliveries: asNumber(flat[at + 5]),
    });
  }
  return jobs;
}
