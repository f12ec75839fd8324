// May this user do what embedq does.

import { type Finding, note, ok, problem, warning } from "../model/diagnosis.ts";
import { Ear } from "../redis/hearing.ts";
import { keyspaceChannel } from "../redis/keys.ts";
import { findMissingRights, type MissingRight, type RightOf } from "../redis/rights.ts";
import type { Check, Checkup } from "./checkup.ts";

const NAME = "rights";

type Grade = "all" | "workers" | "waits" | "walks";
type Lack = Omit<MissingRight, "of"> & { readonly of: RightOf | "waits" };

/** What lacks where these rights do. */
const WITHOUT: Readonly<Record<Grade, string>> = {
  all: "no queue and no worker can run",
  workers: "enough to produce, not for a worker",
  waits: "waits look at Redis on a timer",
  walks: "backfill and reembed cannot run",
};

export const RIGHTS_CHECK: Check = {
  name: NAME,
  look: async (at) => {
    const lacks: Lack[] = [
      ...(await findMissingRights(at.link, at.destination)),
      ...(await findMissingChannels(at)),
    ];
    const findings = (["all", "workers", "waits", "walks"] as const).flatMap((of) =>
      judge(at, of, lacks),
    );
    if (findings.length > 0) return findings;
    const tried =
      at.destination === undefined
        ? "on the queue's keys; no destination is known to try it on"
        : `on the queue's keys and on the destination ${at.destination}`;
    return [ok(NAME, `The user ${at.user} may run every command ${tried}`)];
  },
};

async function findMissingChannels(at: Checkup): Promise<readonly Lack[]> {
  const { connection, link, options, database, destination } = at;
  const ear = await Ear.open(connection, link, options.commandTimeoutMs);
  try {
    const lacks: Lack[] = [];
    const listen = async (of: Grade, name: string) => {
      const refusal = await ear.listen(name);
      if (refusal !== undefined) lacks.push({ of, command: "subscribe", refusal, name });
      return refusal;
    };
    const refusal = await listen("all", link.keys.doorbell);
    if (refusal !== "command" && destination !== undefined) {
      await listen("waits", keyspaceChannel(database, destination));
    }
    return lacks;
  } finally {
    await ear.close();
  }
}

function judge(at: Checkup, of: Grade, lacks: readonly Lack[]): Finding[] {
  const own = lacks.filter((lack) => lack.of === of);
  if (own.length === 0) return [];
  const found = `The user ${at.user} lacks ${list(own)}: ${WITHOUT[of]}`;
  const advice = `Let an administrator run: \`${grantOf(at, own)}\`. Then run this again: a missing command can hide a missing key.`;
  if (of === "walks") return [note(NAME, found, advice)];
  const isNeeded = of === "all" || (of === "workers" && at.options.embedder !== undefined);
  return [(isNeeded ? problem : warning)(NAME, found, advice)];
}

/** `the command xadd; the keys {q}:dedup, {q}:dead; the channel {q}:doorbell`. */
function list(lacks: readonly Lack[]): string {
  const parts = (["command", "key", "channel"] as const).flatMap((kind) => {
    const own = lacks.filter(({ refusal }) => refusal === kind);
    const names = [
      ...new Set(own.map(({ command, name }) => (kind === "command" ? command : name))),
    ];
    if (names.length === 0) return [];
    return [`the ${kind}${names.length === 1 ? "" : "s"} ${names.join(", ")}`];
  });
  return parts.join("; ");
}

/** The line that gives what lacks; what it gives twice harms nothing. */
function grantOf(at: Checkup, lacks: readonly Lack[]): string {
  const { reservedPrefix, doorbell } = at.link.keys;
  const refused = lacks.filter(({ refusal }) => refusal === "command");
  const isOnDestination = lacks.some(({ name }) => name === at.destination);
  const line = [
    `ACL SETUSER ${at.user} ~${reservedPrefix}*`,
    ...(isOnDestination ? [`~${patternOf(at.destination ?? "")}`] : []),
    `&${doorbell} &__keyspace@${at.database}__:*`,
    ...new Set(refused.map(({ command }) => `+${command}`)),
  ];
  return line.join(" ");
}

/** Keys of one kind begin alike in most systems. */
function patternOf(key: string): string {
  const colon = key.indexOf(":");
  return colon < 0 ? key : `${key.slice(0, colon + 1)}*`;
}
