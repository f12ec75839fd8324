// What a crash of Redis costs.

import { type Finding, ok, problem, warning } from "../model/diagnosis.ts";
import { readConfig, readInfo } from "../redis/server.ts";
import type { Check } from "./checkup.ts";

const NAME = "persistence";
const AOF_ADVICE =
  "Put `appendonly yes` into redis.conf, and until the next restart: `CONFIG SET appendonly yes`. With appendfsync everysec a crash then costs a second.";

export const PERSISTENCE_CHECK: Check = {
  name: NAME,
  look: async ({ link }) => {
    const info = await readInfo(link, "persistence");
    const points = await readConfig(link, "save");
    const fsync = await readConfig(link, "appendfsync");
    const failures = judgeWrites(info);
    const isAppending = info.get("aof_enabled") === "1";
    return [...failures, isAppending ? judgeAof(fsync) : judgeSnapshots(points)];
  },
};

function judgeWrites(info: ReadonlyMap<string, string>): Finding[] {
  const failed = [
    ["aof_last_write_status", "The last write of the append-only file"],
    ["aof_last_bgrewrite_status", "The last rewrite of the append-only file"],
    ["rdb_last_bgsave_status", "The last snapshot"],
  ].filter(([field = ""]) => info.has(field) && info.get(field) !== "ok");
  return failed.map(([, what]) =>
    problem(
      NAME,
      `${what} has failed: Redis refuses writes, or soon loses them`,
      "Look into the log of Redis; most often the disk is full, or its folder may not be written to.",
    ),
  );
}

function judgeAof(fsync: string | undefined): Finding {
  const found = `The append-only file is on, appendfsync is ${fsync ?? "not to be seen by this user"}`;
  if (fsync !== "no") return ok(NAME, found);
  const advice =
    "The system decides when it writes to the disk, some 30 s late. Put `appendfsync everysec` into redis.conf, and until the next restart: `CONFIG SET appendfsync everysec`.";
  return warning(NAME, found, advice);
}

function judgeSnapshots(points: string | undefined): Finding {
  if (points === "") {
    const found =
      "Nothing is written to disk: the append-only file is off, and there are no save points";
    return problem(NAME, `${found}. A restart of Redis loses every accepted text`, AOF_ADVICE);
  }
  const found =
    points === undefined
      ? "The append-only file is off; whether there are snapshots, this user may not see"
      : `The append-only file is off; snapshots are made by \`save ${points}\``;
  return warning(NAME, `${found}. A crash loses the texts since the last one`, AOF_ADVICE);
}
