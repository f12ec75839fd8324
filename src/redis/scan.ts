// Meeting the hashes of a live Redis: plain commands, as SCAN gives keys of all cluster slots.

import type { FoundHash } from "../model/candidate.ts";
import { EmbedqError, messageOf } from "../model/errors.ts";
import type { StoredFields } from "../model/stored.ts";
import { isOfAnyQueue } from "./keys.ts";
import type { Link } from "./link.ts";
import { asBytes, asList, asNumber, asText, type Reply } from "./replies.ts";
import type { DestinationFields } from "./scripts/destination.ts";

const strictDecoder = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

/** One step of SCAN. */
export interface ScanPage {
  /** `0` at the end. */
  readonly next: string;
  /** Each once, without what belongs to this queue or another. */
  readonly keys: readonly string[];
  /** Keys that are no text: to read them as one would be to read another key. */
  readonly unreadable: number;
}

/** Hashes that fit the pattern, among about `count` keys. */
export async function scanHashes(
  link: Link,
  cursor: string,
  match: string,
  count: number,
): Promise<ScanPage> {
  const command = ["SCAN", cursor, "MATCH", match, "COUNT", String(count), "TYPE", "hash"];
  const [next, found] = asList(await link.send(command, { binary: true }));
  const decoded = asList(found).map((key) => decode(key));
  const texts = decoded.filter((key) => key !== undefined);
  // While Redis resizes its table, a page can hold a key twice.
  const keys = [...new Set(texts)].filter((key) => !isOwn(link, key));
  return { next: asText(next), keys, unreadable: decoded.length - texts.length };
}

/** A hash as a walk finds it. */
export interface ReadHash extends FoundHash {
  /** Undefined where it was not asked for, is not there, or is no text. */
  readonly text: string | undefined;
}

/** The embedding's companions and the text of each; undefined where the key cannot be read as a hash. */
export function readHashes(
  link: Link,
  fields: DestinationFields,
  textField: string | undefined,
  keys: readonly string[],
): Promise<readonly (ReadHash | undefined)[]> {
  const names = [fields.version, fields.status, fields.source];
  if (textField !== undefined) names.push(textField);
  // Sent together: the client writes them in one go.
  return Promise.all(
    keys.map(async (key) => {
      try {
        const [held, size] = await Promise.all([
          link.send(["HMGET", key, ...names], { binary: true }),
          // Not the vector itself, which is the largest part.
          link.send(["HSTRLEN", key, fields.embedding]),
        ]);
        const [version, status, source, text] = asList(held).map(decode);
        return { version, status, source, text, vectorBytes: asNumber(size) };
      } catch (error) {
        // Another type by now, or a key that this user may not read.
        if (isOfAnotherType(error) || isForbidden(error)) return undefined;
        throw error;
      }
    }),
  );
}

/**
 * What a hash holds of an embedding, the vector too; fails where the key is of another type.
 *
 * @param others Names of further fields to read.
 */
export async function readStored(
  link: Link,
  fields: DestinationFields,
  key: string,
  others: readonly string[],
): Promise<StoredFields> {
  const own = [fields.status, fields.version, fields.source, fields.embedding];
  const held = asList(await link.send(["HMGET", key, ...own, ...others], { binary: true }));
  const [status, version, source] = held.slice(0, 3).map(decode);
  const vector = held[3] ?? undefined;
  return {
    status,
    version,
    source,
    vector: vector === undefined ? undefined : asBytes(vector),
    others: new Map(others.map((name, i) => [name, decode(held[own.length + i] ?? null)])),
  };
}

/** How many keys the database holds. */
export async function countKeys(link: Link): Promise<number> {
  return asNumber(await link.send(["DBSIZE"]));
}

/**
 * Names the running server. A cursor of SCAN means nothing to another one, nor to the same after a
 * restart: its table has another order then, and keys would be missed without a word.
 */
export async function serverName(link: Link): Promise<string> {
  try {
    const [, runId] = /^run_id:(\w+)/m.exec(asText(await link.send(["INFO", "server"]))) ?? [];
    if (runId !== undefined) return runId;
  } catch (error) {
    if (!(error instanceof EmbedqError) || error.code !== "ERR_REDIS_REPLY") throw error;
  }
  // INFO is refused here: while the connection is the same, the server is too.
  const info = asText(await link.send(["CLIENT", "INFO"]));
  return /\bid=\d+ addr=\S+/.exec(info)?.[0] ?? "";
}

/** Whether a command failed as the key does not hold what it is for. */
export function isOfAnotherType(error: unknown): boolean {
  return error instanceof EmbedqError && messageOf(error.cause).startsWith("WRONGTYPE");
}

/** Whether a command failed as this user may not touch the key. */
export function isForbidden(error: unknown): boolean {
  return error instanceof EmbedqError && messageOf(error.cause).startsWith("NOPERM");
}

function isOwn({ keys: { cachePrefix, reservedPrefix } }: Link, key: string): boolean {
  return key.startsWith(reservedPrefix) || key.startsWith(cachePrefix) || isOfAnyQueue(key);
}

function decode(reply: Reply): string | undefined {
  if (reply === null) return undefined;
  try {
    return strictDecoder.decode(asBytes(reply));
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
