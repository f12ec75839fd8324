// What this user may do: every command that embedq uses is sent once, in a form that changes nothing.
// Redis looks at the rights before it looks at what a command asks for, so most of them are made to
// fail afterwards. Works without ACL DRYRUN, which least-privilege users may not run.

import type { Link } from "./link.ts";
import { GROUP } from "./scripts/script.ts";
import { type Refusal, refusalOf } from "./server.ts";

/** Who needs a right: every process, one with an embedder, or one that walks over hashes. */
export type RightOf = "all" | "workers" | "walks";

/** A right that this user lacks. */
export interface MissingRight {
  readonly of: RightOf;
  /** The command, with its subcommand where it has one, as ACL rules name it. */
  readonly command: string;
  /** What it is refused for: the command itself, or this key or channel. */
  readonly refusal: Refusal;
  readonly name: string;
}

interface Probe {
  readonly of: RightOf;
  readonly command: string;
  /** The key or channel; empty where there is none. */
  readonly on: string;
  readonly args: readonly string[];
}

/** No entry has this ID: `*` never gives it. */
const NO_ENTRY = "0-1";
const LAST_ID = "18446744073709551615-18446744073709551614";
/** No field, consumer or word of anybody's. */
const NOBODY = "embedq-doctor";

/** Tries all rights on the queue, and on a destination where one is known; returns those that lack. */
export async function findMissingRights(
  link: Link,
  destination: string | undefined,
): Promise<readonly MissingRight[]> {
  const probes = [...queueProbes(link), ...(destination ? destinationProbes(destination) : [])];
  const tried = await Promise.all(probes.map((probe) => missing(link, probe)));
  return tried.filter((right) => right !== undefined);
}

async function missing(link: Link, probe: Probe): Promise<MissingRight | undefined> {
  const { of, command, on } = probe;
  try {
    // Not again: a server that takes no writes at the moment refuses rights before it says so.
    await link.send(probe.args, { repeats: false });
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal !== undefined) return { of, command, refusal, name: on };
  }
  return undefined;
}

function queueProbes({ keys }: Link): Probe[] {
  const { pending, dedup, retries, dead, settings, clock, flush, cooldown, usage, doorbell } = keys;
  const probes: Probe[] = [];
  const add = (of: RightOf, on: string, command: string, ...rest: string[]) =>
    probes.push({ of, command: command.toLowerCase(), on, args: [...command.split("|"), ...rest] });

  add("all", "", "TIME");
  // A key for each: the rights may name them one by one. The script does nothing.
  for (const key of keys.all) add("all", key, "EVAL", "return 1", "1", key);
  add("all", pending, "EVALSHA", "0".repeat(40), "1", pending);
  add("all", pending, "XADD", pending, "no-id", "f", "v");
  add("all", pending, "XACK", pending, GROUP, NO_ENTRY);
  add("all", pending, "XDEL", pending, NO_ENTRY);
  add("all", pending, "XLEN", pending);
  add("all", pending, "XRANGE", pending, NO_ENTRY, NO_ENTRY);
  add("all", pending, "XREVRANGE", pending, NO_ENTRY, NO_ENTRY);
  add("all", pending, "XPENDING", pending, GROUP);
  add("all", pending, "XINFO|GROUPS", pending);
  add("all", pending, "XINFO|CONSUMERS", pending, GROUP);
  add("all", pending, "XCLAIM", pending, GROUP, NOBODY, "0", "no-id");
  add("workers", pending, "XAUTOCLAIM", pending, GROUP, NOBODY, "no-time", LAST_ID);
  const stream = ["COUNT", "1", "STREAMS", pending, "no-id"];
  add("workers", pending, "XREADGROUP", "GROUP", GROUP, NOBODY, ...stream);
  add("workers", pending, "XGROUP|CREATE", pending, GROUP, "no-id");
  add("workers", pending, "XGROUP|SETID", pending, GROUP, "no-id");
  add("workers", pending, "XGROUP|DELCONSUMER", pending, GROUP, NOBODY);

  add("all", dedup, "HGET", dedup, NOBODY);
  add("all", dedup, "HMGET", dedup, NOBODY);
  add("all", dedup, "HSTRLEN", dedup, NOBODY);
  add("all", dedup, "HLEN", dedup);
  add("all", dedup, "HSCAN", dedup, "0", "MATCH", NOBODY, "COUNT", "1");
  add("all", dedup, "HSET", dedup, "f", "v", "odd");
  add("all", dedup, "HDEL", dedup, NOBODY);
  add("all", retries, "HINCRBY", retries, NOBODY, "no-number");
  add("all", dead, "XADD", dead, "no-id", "f", "v");
  add("all", settings, "HSET", settings, "f", "v", "odd");
  add("all", usage, "HGETALL", usage);
  add("workers", usage, "HKEYS", usage);
  add("all", clock, "GET", clock);
  for (const key of [clock, flush, cooldown]) add("all", key, "SET", key, "v", "NX", "XX");
  add("all", doorbell, "PUBLISH", doorbell, NOBODY);

  add("walks", "", "SCAN", "0", "MATCH", NOBODY, "COUNT", "1");
  add("walks", "", "DBSIZE");
  return probes;
}

function destinationProbes(key: string): Probe[] {
  const probe = (command: string, ...rest: string[]): Probe => ({
    of: "all",
    command: command.toLowerCase(),
    on: key,
    args: [command, key, ...rest],
  });
  return [
    probe("HMGET", NOBODY),
    probe("HSTRLEN", NOBODY),
    probe("EXISTS"),
    probe("HSET", "f", "v", "odd"),
    probe("HDEL", NOBODY),
  ];
}
