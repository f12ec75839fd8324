// A Redis whose memory was in use before, as that of a server that has run for a while. On a virtual
// machine the first touch of a page of 4 KB can take 17 µs, which is more than storing a vector in it.

import { type RedisServer, startRedis } from "../../test/helpers/redis.ts";
import { ROOT } from "./prepare.ts";
import { Redis } from "./redis.ts";

/**
 * jemalloc, by which Debian's Redis allocates: what is freed is kept, and used again for values of any
 * size. Its own setting is to give it back after 10 seconds.
 */
const KEEP_PAGES = "dirty_decay_ms:-1,muzzy_decay_ms:-1,lg_extent_max_active_fit:63";
const VALUE_BYTES = 3072;
const FILL = "for i = 1, ARGV[1] do redis.call('HSET', 'warm:' .. i, 'value', ARGV[2]) end";

/** @param bytes How much of its memory is touched. */
export async function startWarmRedis(bytes: number): Promise<RedisServer> {
  const server = await startRedis({ env: { MALLOC_CONF: KEEP_PAGES } });
  const redis = await Redis.open(ROOT, server.url);
  const count = String(Math.ceil(bytes / VALUE_BYTES));
  await redis.send("EVAL", FILL, "0", count, "x".repeat(VALUE_BYTES));
  await redis.empty();
  await redis.close();
  return server;
}
