// Every key and channel name, spelled once. The hash tag keeps a queue's keys in one cluster slot.

/** The names of one queue in Redis. */
export interface QueueKeys {
  readonly name: string;
  /** Stream: one entry for each destination key with outstanding work. */
  readonly pending: string;
  /** Hash: destination key → version, entry ID and newest text. */
  readonly dedup: string;
  /** Hash: destination key → failed attempts. */
  readonly retries: string;
  /** Stream: dead letters. */
  readonly dead: string;
  /** Hash: what all processes agree on. */
  readonly settings: string;
  /** String: the last version given. */
  readonly clock: string;
  /** String: drain up to this entry ID. */
  readonly flush: string;
  /** String with expiry: no provider calls before this moment. */
  readonly cooldown: string;
  /** Hash: what was counted, in total and for each worker. */
  readonly usage: string;
  /** Channel: hints that there may be work, or that a key's work is gone. */
  readonly doorbell: string;
  /** The KEYS of every queue script, in the order that the prelude of the scripts names them. */
  readonly all: readonly string[];
  /** What a destination key may not begin with, or a vector would be written into the queue itself. */
  readonly reservedPrefix: string;
  /** What the keys of cached vectors begin with. Without braces: they spread over the slots of a cluster. */
  readonly cachePrefix: string;
}

const PARTS = [
  "pending",
  "dedup",
  "retries",
  "dead",
  "settings",
  "clock",
  "flush",
  "cooldown",
  "usage",
] as const;
type Part = (typeof PARTS)[number];

export function queueKeys(name: string): QueueKeys {
  const of = (part: string) => `{${name}}:${part}`;
  const keys = Object.fromEntries(PARTS.map((part) => [part, of(part)])) as Record<Part, string>;
  return {
    name,
    ...keys,
    doorbell: of("doorbell"),
    all: Object.values(keys),
    reservedPrefix: of(""),
    cachePrefix: `${name}:cache:`,
  };
}

const OF_ANY_QUEUE = new RegExp(`^\\{[^{}\\0\\n]+\\}:(${PARTS.join("|")})$`);

/** Whether a key is one of a queue, of whatever name, or a budget: no place for a vector. */
export function isOfAnyQueue(key: string): boolean {
  return OF_ANY_QUEUE.test(key) || /^\{embedq:[^{}]+\}:budget$/.test(key);
}

/** The channel on which Redis announces writes to a key. */
export function keyspaceChannel(database: number, key: string): string {
  return `__keyspace@${database}__:${key}`;
}
