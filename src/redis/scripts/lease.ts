// Keeping what was claimed. The lease is the idle time after which an entry counts as abandoned.

import type { Job } from "../../model/job.ts";
import type { Link } from "../link.ts";
import { asFlatStrings, asList } from "../replies.ts";
import { GIVE_UP_AFTER, JOBS_IN_LUA, jobsOf, SOLO_AFTER } from "./jobs.ts";
import { queueScript, type Script } from "./script.ts";

// Input: ARGV worker · entry IDs
// Output: the IDs that are no longer its own. Only the owner renews: a plain XCLAIM by a former
//   owner would steal the entry back.
const RENEW: Script = queueScript(
  "renew",
  String.raw`
local lost = {}
for i = 2, #ARGV do
  if ownerOf(ARGV[i]) == ARGV[1] then
    redis.call('XCLAIM', PENDING, GROUP, ARGV[1], 0, ARGV[i], 'JUSTID')
  else
    lost[#lost + 1] = ARGV[i]
  end
end
return lost
`,
);

// Input: ARGV worker · the IDs it knows of
// Output: jobs: what stands under its name although it does not know of it, because a claim's
//   reply was lost. It is the same delivery: nothing is counted.
const ADOPT: Script = queueScript(
  "adopt",
  String.raw`
${JOBS_IN_LUA}
local s, known, jobs = settings(), {}, {}
for i = 2, #ARGV do known[ARGV[i]] = true end
local mine = redis.pcall('XPENDING', PENDING, GROUP, '-', '+', 10000, ARGV[1])
if mine.err then return jobs end
for _, held in ipairs(mine) do
  local id, deliveries = held[1], held[4]
  if not known[id] then
    local entry = entryOf(id)
    local key = entry and keyOf(entry)
    local live = key and liveWork(key)
    if live and live.id == id then
      redis.call('XCLAIM', PENDING, GROUP, ARGV[1], 0, id, 'JUSTID')
      local attempts = attemptsOf(key)
      local isOver = attempts >= s.maxAttempts or deliveries > ${GIVE_UP_AFTER}
      local kind = isOver and 'giveUp' or deliveries > ${SOLO_AFTER} and 'solo' or 'embed'
      addJob(jobs, kind, id, key, live.value, attempts, deliveries)
    else
      removeEntry(id) -- superseded meanwhile, or damaged
    end
  end
end
return jobs
`,
);

/** Resets the idle time of what the worker still owns; returns the IDs that it does not. */
export async function runRenew(
  link: Link,
  worker: string,
  ids: Iterable<string>,
): Promise<readonly string[]> {
  return asFlatStrings(await link.run(RENEW, [worker, ...ids]));
}

/** Takes what Redis holds under this worker's name and the worker does not know of. */
export async function runAdopt(
  link: Link,
  worker: string,
  knownIds: Iterable<string>,
): Promise<readonly Job[]> {
  return jobsOf(asList(await link.run(ADOPT, [worker, ...knownIds])));
}
