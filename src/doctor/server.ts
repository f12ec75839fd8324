// Is it a Redis that embedq can stand on: version, role, memory.

import { type Finding, note, ok, problem, warning } from "../model/diagnosis.ts";
import { readInfo } from "../redis/server.ts";
import type { Check } from "./checkup.ts";

const MIN_VERSION = [6, 2];
/** Above this part of maxmemory there is no room for a rush. */
const FULL = 0.8;

type Info = ReadonlyMap<string, string>;

export const VERSION_CHECK: Check = {
  name: "version",
  look: async ({ link }) => [judgeVersion(await readInfo(link, "server"))],
};

/** Servers that speak like Redis tell in fields of their own what they are. */
const KIN: readonly (readonly [field: string, name: string])[] = [
  ["valkey_version", "Valkey"],
  ["dragonfly_version", "Dragonfly"],
  ["garnet_version", "Garnet"],
  ["keydb_version", "KeyDB"],
];

function judgeVersion(info: Info): Finding {
  const name = "version";
  const version = info.get("redis_version");
  const kin = KIN.find(([field]) => info.has(field));
  if (version === undefined) {
    const found = "The server does not tell its version";
    return note(name, found, "embedq needs the commands of Redis 6.2.");
  }
  const as = kin === undefined ? "" : `${kin[1]} ${info.get(kin[0])}, which speaks as `;
  const found = `The server is ${as}Redis ${version}`;
  if (isOlder(version, MIN_VERSION)) {
    return problem(name, found, "embedq needs Redis 6.2 or newer, for XAUTOCLAIM: update Redis.");
  }
  if (kin !== undefined && kin[1] !== "Valkey") {
    return note(
      name,
      found,
      "embedq is tested with Redis; try your own load before you rely on it.",
    );
  }
  if (!isOlder(version, [7])) return ok(name, found);
  const advice =
    "Enough. Redis 7 would add rights for single subcommands and an append-only file in parts that survives a crash in its rewrite.";
  return note(name, found, advice);
}

function isOlder(version: string, than: readonly number[]): boolean {
  const parts = version.split(".").map((part) => Number.parseInt(part, 10) || 0);
  for (const [i, wanted] of than.entries()) {
    if ((parts[i] ?? 0) !== wanted) return (parts[i] ?? 0) < wanted;
  }
  return false;
}

export const ROLE_CHECK: Check = {
  name: "role",
  look: async ({ link }) => {
    const info = new Map([
      ...(await readInfo(link, "replication")),
      ...(await readInfo(link, "cluster")),
    ]);
    if (info.get("cluster_enabled") === "1") {
      const advice =
        "A queue and its destinations must lie on one server: use a Redis with cluster-enabled no.";
      return [problem("role", "The server is a node of a cluster", advice)];
    }
    if (info.get("role") === "slave") {
      const found = `The server is a replica of ${info.get("master_host")}:${info.get("master_port")} and takes no writes`;
      return [problem("role", found, "Give the address of the primary.")];
    }
    const replicas = Number(info.get("connected_slaves") ?? 0);
    return [
      ok("role", `The server is a primary with ${replicas} replica${replicas === 1 ? "" : "s"}`),
    ];
  },
};

export const EVICTION_CHECK: Check = {
  name: "eviction",
  look: async ({ link }) => [judgeEviction(await readInfo(link, "memory"))],
};

const POLICY_ADVICE =
  "Put `maxmemory-policy noeviction` into redis.conf, and until the next restart: `CONFIG SET maxmemory-policy noeviction`. Let a cache have a Redis of its own.";

function judgeEviction(info: Info): Finding {
  const name = "eviction";
  const policy = info.get("maxmemory_policy");
  if (policy === undefined) {
    const found = "The server does not tell its maxmemory-policy";
    return note(name, found, "It must be noeviction: see to it where the server is set up.");
  }
  const isBounded = Number(info.get("maxmemory") ?? 0) > 0;
  const until = isBounded ? "" : "; not yet, as there is no maxmemory";
  if (policy === "noeviction")
    return ok(name, "maxmemory-policy is noeviction: nothing is thrown away");
  if (policy.startsWith("volatile-")) {
    const found = `maxmemory-policy is ${policy}: a full Redis throws keys with an expiry away${until}. The queue has none but its shared pause, rate budgets and cached vectors; destinations may`;
    return warning(name, found, POLICY_ADVICE);
  }
  const found = `maxmemory-policy is ${policy}: a full Redis throws any key away, the queue and its texts as well${until}`;
  return problem(name, found, POLICY_ADVICE);
}

export const MEMORY_CHECK: Check = {
  name: "memory",
  look: async ({ link }) => [judgeMemory(await readInfo(link, "memory"))],
};

function judgeMemory(info: Info): Finding {
  const used = Number(info.get("used_memory") ?? 0);
  const limit = Number(info.get("maxmemory") ?? 0);
  const system = Number(info.get("total_system_memory") ?? 0);
  const total = limit || system;
  const of = limit > 0 ? `maxmemory, ${mebi(limit)}` : `the machine's memory, ${mebi(system)}`;
  if (total === 0) return ok("memory", `Redis uses ${mebi(used)}`);
  const found = `Redis uses ${mebi(used)}, ${Math.floor((100 * used) / total)} % of ${of}`;
  if (used < FULL * total) return ok("memory", found);
  if (limit > 0 && used >= limit) {
    const advice =
      "No text is accepted any more, and no vector stored: raise maxmemory (`CONFIG SET maxmemory`, and redis.conf), or remove keys.";
    return problem("memory", found, advice);
  }
  const advice = `Raise maxmemory or remove keys: at the limit no text is accepted. docs/guides/redis.md tells what a text and a vector take.`;
  return warning("memory", found, advice);
}

function mebi(bytes: number): string {
  return `${(bytes / 1048576).toFixed(1)} MiB`;
}
