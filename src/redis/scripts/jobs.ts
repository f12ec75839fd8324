// Jobs as they travel in the replies of claim and adopt: seven strings each.

import type { Job } from "../../model/job.ts";

/** Deliveries lost from which on a text is handed out alone. */
export const SOLO_AFTER = 2;

/** Deliveries lost at which a text is given up: the last two of them it was alone. */
export const GIVE_UP_AFTER = 4;

/** The Lua side. */
export const JOBS_IN_LUA: string = String.raw`
local function keyOf(entry)
  local key = pairsOf(entry[2])['key']
  return key and isText(key) and key or nil
end
local function addJob(jobs, kind, id, key, live, attempts, deliveries)
  local n = #jobs
  jobs[n + 1], jobs[n + 2], jobs[n + 3], jobs[n + 4] = kind, id, key, digits(live.version)
  jobs[n + 5], jobs[n + 6], jobs[n + 7] = textOf(live), digits(attempts), digits(deliveries)
end
local function attemptsOf(key) return tonumber(redis.call('HGET', RETRIES, key) or '0') or 0 end
`;

/** The TypeScript side. */
export function jobsOf(flat: readonly string[]): Job[] {
  const jobs: Job[] = [];
  for (let at = 0; at < flat.length; at += 7) {
    jobs.push({
      kind: flat[at] as Job["kind"],
      entryId: flat[at + 1] ?? "",
      key: flat[at + 2] ?? "",
      version: Number(flat[at + 3]),
      text: flat[at + 4] ?? "",
      attempts: Number(flat[at + 5]),
      deliveries: Number(flat[at + 6]),
    });
  }
  return jobs;
}
