// Reading what destinations hold, without a ticket.

import { EmbedqError } from "../model/errors.ts";
import {
  hasVector,
  type StoredEmbedding,
  type StoredFields,
  type StoredPlan,
  storedOf,
} from "../model/stored.ts";
import type { Link } from "../redis/link.ts";
import { isForbidden, isOfAnotherType, readStored, scanHashes, serverName } from "../redis/scan.ts";
import type { DestinationFields } from "../redis/scripts/destination.ts";

/** A proxy that spreads commands over several servers would make the reading begin again for ever. */
const MAX_RESTARTS = 10;

export interface StoredStage {
  readonly link: Link;
  readonly fields: DestinationFields;
}

/**
 * What one destination holds; undefined where it is not there or has nothing of an embedding.
 *
 * @throws {EmbedqError} `ERR_INPUT_INVALID` where the key is no hash; `ERR_EMBEDDING_CORRUPT`.
 */
export async function readEmbedding(
  { link, fields }: StoredStage,
  key: string,
  others: readonly string[],
): Promise<StoredEmbedding | undefined> {
  try {
    return storedOf(key, await readStored(link, fields, key, others));
  } catch (error) {
    if (!isOfAnotherType(error)) throw error;
    throw new EmbedqError(
      "ERR_INPUT_INVALID",
      `Cannot read the embedding of ${JSON.stringify(key)} as it must be a hash: the key holds another type`,
      { cause: error },
    );
  }
}

/**
 * All vectors under a pattern, page by page. Where Redis is restarted on the way, whose cursor then
 * means nothing, it begins again.
 *
 * @param stage What to read with, asked for before each page.
 */
export async function* readEmbeddings(
  stage: () => StoredStage,
  { match, pageSize, fields: others, signal }: StoredPlan,
): AsyncGenerator<StoredEmbedding, void, undefined> {
  let cursor = "0";
  let server = await serverName(stage().link);
  for (let restarts = 0; restarts <= MAX_RESTARTS; ) {
    signal?.throwIfAborted();
    const { link, fields } = stage();
    const { keys, next } = await scanHashes(link, cursor, match, pageSize);
    const page = await readPage(link, fields, keys, others);
    // Asked after the page: so its cursor is this server's.
    const now = await serverName(link);
    const isSame = now === server;
    for (const [i, held] of page.entries()) {
      const stored = held && hasVector(held) ? storedOf(keys[i] ?? "", held) : undefined;
      if (stored !== undefined) yield stored;
    }
    if (isSame && next === "0") return;
    cursor = isSame ? next : "0";
    server = now;
    if (!isSame) restarts++;
  }
  throw new EmbedqError(
    "ERR_REDIS_REPLY",
    `Cannot read all embeddings as one server must stay: it changed more than ${MAX_RESTARTS} times`,
  );
}

/** Sent together: the client writes the commands in one go. */
function readPage(
  link: Link,
  fields: DestinationFields,
  keys: readonly string[],
  others: readonly string[],
): Promise<readonly (StoredFields | undefined)[]> {
  return Promise.all(
    keys.map(async (key) => {
      try {
        return await readStored(link, fields, key, others);
      } catch (error) {
        // Another type by now, or a key that this user may not read.
        if (isOfAnotherType(error) || isForbidden(error)) return undefined;
        throw error;
      }
    }),
  );
}
