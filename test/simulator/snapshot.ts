// All that Redis holds for a schedule, read in one atomic call after each step.

import type { Link } from "../../src/redis/link.ts";
import { asFlatStrings, asList, asNumber, asText, type Reply } from "../../src/redis/replies.ts";
import { queueScript } from "../../src/redis/scripts/script.ts";

/** The name of the one consumer group. */
export const GROUP = "embedders";

export interface OutstandingText {
  readonly version: number;
  readonly entryId: string;
  readonly text: string;
}

export interface Holding {
  /** Name of the consumer. */
  readonly owner: string;
  readonly deliveries: number;
}

export interface Destination {
  readonly exists: boolean;
  /** 0 where none is stored. */
  readonly version: number;
  readonly status: string;
  readonly digest: string;
  /** Undefined where none is stored. */
  readonly vector: string | undefined;
}

export interface Snapshot {
  /** By destination key; undefined where the field cannot be read. */
  readonly dedup: ReadonlyMap<string, OutstandingText | undefined>;
  /** By entry ID; undefined where the entry names no key. */
  readonly entries: ReadonlyMap<string, string | undefined>;
  /** The group's pending entries list. */
  readonly pending: ReadonlyMap<string, Holding>;
  /** Keys with failed attempts. */
  readonly retries: readonly string[];
  readonly destinations: ReadonlyMap<string, Destination>;
}

// Input: ARGV destination keys. On one server, so that a queue script may look at them too.
// Output: { dedup, entries: id · key each, pending: id · owner · deliveries each, keys with
//   retries, for each destination: exists · version · status · digest · vector ('none' without) }
const SNAPSHOT = queueScript(
  "snapshot",
  String.raw`
local entries, pending, destinations = {}, {}, {}
for _, entry in ipairs(redis.call('XRANGE', PENDING, '-', '+')) do
  entries[#entries + 1] = entry[1]
  entries[#entries + 1] = pairsOf(entry[2])['key'] or ''
end
local held = redis.pcall('XPENDING', PENDING, GROUP, '-', '+', 1000)
if not held.err then
  for _, each in ipairs(held) do
    pending[#pending + 1] = each[1]
    pending[#pending + 1] = each[2]
    pending[#pending + 1] = digits(each[4])
  end
end
for _, key in ipairs(ARGV) do
  local exists = redis.call('EXISTS', key)
  local stored = redis.pcall('HMGET', key, 'embedding_version', 'embedding_status', 'embedding_source', 'embedding')
  if stored.err then stored = {} end
  destinations[#destinations + 1] = digits(exists)
  destinations[#destinations + 1] = stored[1] or '0'
  destinations[#destinations + 1] = stored[2] or ''
  destinations[#destinations + 1] = stored[3] or ''
  destinations[#destinations + 1] = stored[4] or 'none'
end
return { redis.call('HGETALL', DEDUP), entries, pending, redis.call('HKEYS', RETRIES), destinations }
`,
);

export const EMPTY_SNAPSHOT: Snapshot = {
  dedup: new Map(),
  entries: new Map(),
  pending: new Map(),
  retries: [],
  destinations: new Map(),
};

export async function takeSnapshot(link: Link, keys: readonly string[]): Promise<Snapshot> {
  const reply = asList(await link.run(SNAPSHOT, keys));
  const dedup = new Map(groupsOf(reply[0], 2).map(([key = "", value = ""]) => [key, parse(value)]));
  const entries = new Map(
    groupsOf(reply[1], 2).map(([id = "", key = ""]) => [id, key === "" ? undefined : key]),
  );
  const pending = new Map(
    groupsOf(reply[2], 3).map(([id = "", owner = "", deliveries]) => [
      id,
      { owner, deliveries: Number(deliveries) },
    ]),
  );
  const stored = groupsOf(reply[4], 5);
  const destinations = new Map(
    keys.map((key, i) => {
      const [exists, version, status = "", digest = "", vector] = stored[i] ?? [];
      return [
        key,
        {
          exists: exists === "1",
          version: Number(version),
          status,
          digest,
          vector: vector === "none" ? undefined : vector,
        },
      ];
    }),
  );
  return { dedup, entries, pending, retries: asFlatStrings(reply[3]), destinations };
}

/** Makes an entry look abandoned: its owner has not been heard of for `idleMs`. */
export async function setIdle(link: Link, id: string, owner: string, idleMs: number) {
  const idle = ["IDLE", String(idleMs), "JUSTID"];
  await link.send(["XCLAIM", link.keys.pending, GROUP, owner, "0", id, ...idle]);
}

function parse(value: string): OutstandingText | undefined {
  const [, version, entryId = "", text = ""] = /^(\d+) (\d+-\d+)\n(.*)$/s.exec(value) ?? [];
  return version === undefined ? undefined : { version: Number(version), entryId, text };
}

function groupsOf(reply: Reply | undefined, size: number): string[][] {
  const flat = asList(reply).map((part) =>
    typeof part === "number" ? String(asNumber(part)) : asText(part),
  );
  const groups: string[][] = [];
  for (let at = 0; at < flat.length; at += size) groups.push(flat.slice(at, at + size));
  return groups;
}
