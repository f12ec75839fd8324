// Vectors kept for a while, so that an equal text costs no second call. Strings with an expiry under
// keys of their own, outside the queue's slot; what is in them is never relied on.

import type { Link } from "../link.ts";
import { asBytes, asFlatStrings, asList } from "../replies.ts";
import { destinationScript, type Script } from "./script.ts";

// Input: ARGV the bytes that a vector has
// Output: for each key the vector, nil where there is none of that length
const READ_CACHE: Script = destinationScript(
  "readCache",
  String.raw`
local reply = {}
for i, key in ipairs(KEYS) do
  local found = redis.pcall('GET', key) -- another type is an error, and no vector
  reply[i] = type(found) == 'string' and #found == tonumber(ARGV[1]) and found
end
return reply
`,
);

// Input: ARGV how long to keep them, in ms · for each key the vector
// Output: { vectors stored, what Redis refused the next one with or '' }
// A key that somebody else uses for another type is left alone.
const WRITE_CACHE: Script = destinationScript(
  "writeCache",
  String.raw`
local stored = 0
for i, key in ipairs(KEYS) do
  local type = redis.call('TYPE', key).ok
  if type == 'none' or type == 'string' then
    local set = redis.pcall('SET', key, ARGV[i + 1], 'PX', ARGV[1])
    if set.err then return { tostring(stored), set.err } end
    stored = stored + 1
  end
end
return { tostring(stored), '' }
`,
);

/** For each digest the vector that is kept for it; undefined where there is none of this many bytes. */
export async function runReadCache(
  link: Link,
  digests: readonly string[],
  vectorBytes: number,
): Promise<readonly (Uint8Array | undefined)[]> {
  const keys = keysOf(link, digests);
  const reply = asList(await link.runOn(READ_CACHE, keys, [String(vectorBytes)], { binary: true }));
  return keys.map((_, i) => {
    const found = reply[i] ?? null;
    return found === null ? undefined : asBytes(found);
  });
}

export interface CacheEntry {
  readonly digest: string;
  readonly vector: Uint8Array;
}

export interface CacheWritten {
  readonly stored: number;
  /** Redis' own words where it takes no more, for instance out of memory; empty otherwise. */
  readonly refusal: string;
}

/** Keeps vectors for `ttlMs` from now. */
export async function runWriteCache(
  link: Link,
  entries: readonly CacheEntry[],
  ttlMs: number,
): Promise<CacheWritten> {
  const keys = keysOf(
    link,
    entries.map(({ digest }) => digest),
  );
  const args = [String(ttlMs), ...entries.map(({ vector }) => vector)];
  const [stored, refusal = ""] = asFlatStrings(await link.runOn(WRITE_CACHE, keys, args));
  return { stored: Number(stored), refusal };
}

function keysOf(link: Link, digests: readonly string[]): string[] {
  return digests.map((digest) => link.keys.cachePrefix + digest);
}
