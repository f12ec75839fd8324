// The user's own hashes. These scripts touch destination keys only, so that they can run in the
// destinations' slots on a cluster. The write is the fence: an older version never overwrites a newer.

import type { StoredResult } from "../../model/outcome.ts";
import type { Link } from "../link.ts";
import { asBytes, asFlatStrings, asList, asText, type Reply } from "../replies.ts";
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
  local version = text and string.match(text, '^%d+$') and tonumber(text) or 0
  return version <= aheadUs and version or 0
end
`;

// Input: ARGV[1..4] field names (embedding, status, version, source) · bytes of a vector ·
//   then for each key: digest of the new text, '' to leave the question out
// Output: for each key: stored version · '1' if the stored embedding is that of the new text
const LOOK: Script = destinationScript(
  "look",
  String.raw`
${STORED_VERSION}
local reply = {}
for i, key in ipairs(KEYS) do
  local digest = ARGV[5 + i]
  local stored = redis.pcall('HMGET', key, ARGV[3], ARGV[4], ARGV[2])
  local version, unchanged = 0, '0'
  if not stored.err then
    version = cleanVersion(stored[1])
    if digest ~= '' and stored[2] == digest and stored[3] == 'embedded'
      and redis.call('HSTRLEN', key, ARGV[1]) == tonumber(ARGV[5]) then unchanged = '1' end
  end
  reply[2 * i - 1] = string.format('%.0f', version)
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
local function hasLength(key, wanted)
  local found = redis.call('HSTRLEN', key, EMBEDDING)
  return found > 0 and (wanted == 0 or found == wanted)
end
local reply = {}
for i, key in ipairs(KEYS) do
  local at = 6 + (i - 1) * 4
  local op, versionText, vector, digest = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local version = tonumber(versionText)
  local stored = redis.pcall('HMGET', key, VERSION, SOURCE, STATUS)
  local word, fields
  if stored.err then
    word = string.find(stored.err, 'WRONGTYPE') and 'wrongtype' or stored.err
  else
    local held = cleanVersion(stored[1])
    if op == 'touch' then
      if held >= version then word = 'newer'
      elseif stored[2] ~= digest or stored[3] ~= 'embedded' or not hasLength(key, tonumber(vector)) then word = 'changed'
      else fields = { VERSION, versionText } end
    elseif held > version then word = 'newer'
    elseif held == version and op ~= 'embed' then word = 'same'
    elseif skipsMissing and redis.call('EXISTS', key) == 0 then word = 'missing'
    elseif op == 'embed' then fields = { EMBEDDING, vector, SOURCE, digest, STATUS, 'embedded', VERSION, versionText }
    else
      redis.call('HDEL', key, SOURCE)
      fields = { STATUS, op == 'blank' and 'blank' or 'dead', VERSION, versionText }
      if op == 'unset' then redis.call('HDEL', key, EMBEDDING)
      else
        fields[5] = EMBEDDING
        fields[6] = vector
      end
    end
    if fields then
      local set = redis.pcall('HSET', key, unpack(fields))
      word = type(set) == 'table' and set.err or 'ok'
    end
  end
  reply[i] = word
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
  reply[3 * i - 2] = string.format('%.0f', version)
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
  for (const { digest } of items) args.push(digest);
  const keys = items.map(({ key }) => key);
  const reply = asFlatStrings(await link.runOn(LOOK, keys, args));
  return keys.map((_, i) => ({
    storedVersion: Number(reply[2 * i]),
    isUnchanged: reply[2 * i + 1] === "1",
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
    version: Number(asText(reply[3 * i])),
    status: optional(reply[3 * i + 1], asText),
    vector: optional(reply[3 * i + 2], asBytes),
  }));
}
