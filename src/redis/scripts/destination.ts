// The user's own hashes. These scripts touch destination keys only, so that they can run in the
// destinations' slots on a cluster. The write is the fence: an older version never overwrites a newer.

import type { StoredResult } from "../../model/outcome.ts";
import type { Link } from "../link.ts";
import { asBytes, asFlatStrings, asList, asNumber, asText, type Reply } from "../replies.ts";
import { destinationScript, type Script } from "./script.ts";

/** Names of the fields in a destination hash, all derived from one. */
export interface DestinationFields {
  readonly embedding: string;
  readonly status: string;
  readonly version: string;
  readonly source: string;
}

export function destinationFields(embedding: string): DestinationFields {
  return {
    embedding,
    status: `${embedding}_status`,
    version: `${embedding}_version`,
    source: `${embedding}_source`,
  };
}

// The version a destination holds. Not a whole number, or more than a day ahead: damage, counts as none.
const STORED_VERSION = String.raw`
local aheadUs = (redis.call('TIME')[1] + 86400) * 1000000
local function cleanVersion(text)
  if not text then return 0 end
  local version = string.match(text, '^%d+$') and tonumber(text) or 0
  return version <= aheadUs and version or 0
end
`;

// Input: ARGV[1..4] field names (embedding, status, version, source) · bytes of a vector ·
//   then for each key: digest of the new text, '' to leave the question out; no digests to ask for no key
// Output: empty where no key exists, else for each key:
//   stored version · 1 if the stored embedding is that of the new text, else 0
const LOOK: Script = destinationScript(
  "look",
  String.raw`
-- New keys are the most frequent case: 0.1 us each, where looking at one takes 1 us.
if redis.call('EXISTS', unpack(KEYS)) == 0 then return {} end
${STORED_VERSION}
local reply = {}
for i, key in ipairs(KEYS) do
  local digest = ARGV[5 + i] or ''
  local version, unchanged = 0, 0
  if digest == '' then
    local stored = redis.pcall('HGET', key, ARGV[3])
    version = type(stored) == 'string' and cleanVersion(stored) or 0
  else
    local stored = redis.pcall('HMGET', key, ARGV[3], ARGV[4], ARGV[2])
    if not stored.err then
      version = cleanVersion(stored[1])
      if stored[2] == digest and stored[3] == 'embedded'
        and redis.call('HSTRLEN', key, ARGV[1]) == tonumber(ARGV[5]) then unchanged = 1 end
    end
  end
  reply[2 * i - 1] = version
  reply[2 * i] = unchanged
end
return reply
`,
);

// Input: ARGV[1..4] field names · 'create' or 'skip' for missing keys ·
//   then for each key: op · version · vector · digest
//   embed  a vector of the provider    blank, dead  the zero vector    unset  no vector, status dead
//   touch  only the version, if the embedding is still that of the digest; in the place of the
//          vector the bytes that it must have, 0 if unknown
// Output: for each key: ok | same | newer (a newer text is stored) | changed (touch) | missing | wrongtype | the error
const WRITE: Script = destinationScript(
  "write",
  String.raw`
${STORED_VERSION}
local EMBEDDING, STATUS, VERSION, SOURCE = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local skipsMissing = ARGV[5] == 'skip'
-- Whether the stored vector is that of a text, and as long as it must be.
local function isOf(key, digest, wanted)
  local stored = redis.call('HMGET', key, SOURCE, STATUS)
  local found = redis.call('HSTRLEN', key, EMBEDDING)
  return stored[1] == digest and stored[2] == 'embedded' and found > 0 and (wanted == 0 or found == wanted)
end
-- New keys are frequent, and need not be asked one by one; a key that comes twice is not new any more.
local isNew, written = redis.call('EXISTS', unpack(KEYS)) == 0, {}
local reply = {}
for i, key in ipairs(KEYS) do
  local at = 6 + (i - 1) * 4
  local op, versionText, vector, digest = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local version = tonumber(versionText)
  local stored = (not isNew or written[key]) and redis.pcall('HGET', key, VERSION)
  written[key] = true
  local word, set
  if type(stored) == 'table' then
    word = string.find(stored.err, 'WRONGTYPE') and 'wrongtype' or stored.err
  else
    local held = cleanVersion(stored)
    if op == 'touch' then
      if held >= version then word = 'newer'
      elseif not isOf(key, digest, tonumber(vector)) then word = 'changed'
      else set = redis.pcall('HSET', key, VERSION, versionText) end
    elseif held > version then word = 'newer'
    elseif held == version and op ~= 'embed' then word = 'same'
    elseif skipsMissing and redis.call('EXISTS', key) == 0 then word = 'missing'
    elseif op == 'embed' then
      set = redis.pcall('HSET', key, EMBEDDING, vector, SOURCE, digest, STATUS, 'embedded', VERSION, versionText)
    else
      redis.call('HDEL', key, SOURCE)
      local status = op == 'blank' and 'blank' or 'dead'
      if op == 'unset' then
        redis.call('HDEL', key, EMBEDDING)
        set = redis.pcall('HSET', key, STATUS, status, VERSION, versionText)
      else
        set = redis.pcall('HSET', key, STATUS, status, VERSION, versionText, EMBEDDING, vector)
      end
    end
  end
  reply[i] = word or (type(set) == 'table' and set.err) or 'ok'
end
return reply
`,
);

// Input: ARGV field names (embedding, status, version) · then for each key the version from which on it is of interest
// Output: for each key: version · status · vector bytes, the last two nil where absent or of no interest
const READ: Script = destinationScript(
  "read",
  String.raw`
${STORED_VERSION}
local reply = {}
for i, key in ipairs(KEYS) do
  local held = redis.pcall('HGET', key, ARGV[3])
  local version = type(held) == 'string' and cleanVersion(held) or 0
  local stored = version >= tonumber(ARGV[3 + i]) and redis.pcall('HMGET', key, ARGV[2], ARGV[1]) or { false, false }
  if stored.err then stored = { false, false } end
  reply[3 * i - 2] = version
  reply[3 * i - 1] = stored[1]
  reply[3 * i] = stored[2]
end
return reply
`,
);

export interface Look {
  readonly storedVersion: number;
  readonly isUnchanged: boolean;
}

const NOTHING: Look = { storedVersion: 0, isUnchanged: false };

/** What the destinations hold before an enqueue; `digest` is empty where unchanged texts are not looked for. */
export async function lookAtDestinations(
  link: Link,
  fields: DestinationFields,
  vectorBytes: number,
  items: readonly { readonly key: string; readonly digest: string }[],
): Promise<readonly Look[]> {
  const args = [
    fields.embedding,
    fields.status,
    fields.version,
    fields.source,
    String(vectorBytes),
  ];
  if (items.some(({ digest }) => digest !== "")) args.push(...items.map(({ digest }) => digest));
  const keys = items.map(({ key }) => key);
  const reply = asList(await link.runOn(LOOK, keys, args));
  if (reply.length === 0) return keys.map(() => NOTHING);
  return keys.map((_, i) => ({
    storedVersion: asNumber(reply[2 * i]),
    isUnchanged: asNumber(reply[2 * i + 1]) === 1,
  }));
}

export type WriteOp = "embed" | "blank" | "dead" | "unset" | "touch";

export interface DestinationWrite {
  readonly key: string;
  readonly op: WriteOp;
  readonly version: number;
  /** Empty for `unset` and `touch`. */
  readonly vector: Uint8Array;
  /** Empty where the op stores none. */
  readonly digest: string;
  /** For `touch`: the bytes that the stored vector must have. @default any but none */
  readonly vectorBytes?: number;
}

/** `error` carries Redis' own words, for instance out of memory. */
export type WriteResult =
  | "ok"
  | "same"
  | "newer"
  | "changed"
  | "missing"
  | "wrongtype"
  /** This Redis user may not touch the key. */
  | "forbidden"
  | { readonly error: string };

const WRITE_WORDS = new Set<string>(["ok", "same", "newer", "changed", "missing", "wrongtype"]);

/** Writes results, each only where nothing newer is stored. Repeating a write is harmless. */
export async function writeDestinations(
  link: Link,
  fields: DestinationFields,
  onMissing: "create" | "skip",
  writes: readonly DestinationWrite[],
): Promise<readonly WriteResult[]> {
  const args: (string | Uint8Array)[] = [
    fields.embedding,
    fields.status,
    fields.version,
    fields.source,
    onMissing,
  ];
  for (const { op, version, vector, digest, vectorBytes = 0 } of writes) {
    args.push(op, String(version), op === "touch" ? String(vectorBytes) : vector, digest);
  }
  const keys = writes.map(({ key }) => key);
  const reply = asFlatStrings(await link.runOn(WRITE, keys, args));
  return reply.map((word) =>
    WRITE_WORDS.has(word) ? (word as Exclude<WriteResult, object>) : { error: word },
  );
}

/** What the destinations hold; status and vector only from the version on that is asked for. */
export async function readDestinations(
  link: Link,
  fields: DestinationFields,
  wanted: readonly { readonly key: string; readonly version: number }[],
): Promise<readonly StoredResult[]> {
  const args = [fields.embedding, fields.status, fields.version];
  for (const { version } of wanted) args.push(String(version));
  const keys = wanted.map(({ key }) => key);
  const reply = asList(await link.runOn(READ, keys, args, { binary: true }));
  const optional = <T>(value: Reply | undefined, as: (value: Reply | undefined) => T) =>
    value === null || value === undefined ? undefined : as(value);
  return keys.map((_, i) => ({
    version: asNumber(reply[3 * i]),
    status: optional(reply[3 * i + 1], asText),
    vector: optional(reply[3 * i + 2], asBytes),
  }));
}
