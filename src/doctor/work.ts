// Does the work go on: the group, who takes work, who holds it and is gone, what stops it.

import { DEAD_AFTER_MS, readStats, sweepConsumers } from "../flow/tidy.ts";
import { count, type Finding, note, ok, problem, warning } from "../model/diagnosis.ts";
import type { QueueStats } from "../model/stats.ts";
import { createGroup, readGroup } from "../redis/group.ts";
import type { Check } from "./checkup.ts";

/** A live worker comes by every minute. */
const AWAY_MS = 150_000;

export const GROUP_CHECK: Check = {
  name: "group",
  look: async ({ link }) => {
    const { entries, exists } = await readGroup(link);
    if (exists) return [ok("group", `The group is there, ${entriesOf(entries)} on the stream`)];
    if (entries === 0) return [ok("group", "There is no group yet, and nothing to hand out")];
    const { usage, workers } = await readStats(link);
    const hadWorkers = usage.calls > 0 || workers.length > 0 || hasClaims(usage.claims);
    const found = `${entriesOf(entries)} on the stream, and the group that hands them out is not there`;
    if (!hadWorkers) {
      return [note("group", `${found}: no worker has been here yet`, "Start a worker.")];
    }
    const advice =
      "Somebody has removed it. The next worker makes it again and embeds everything anew; --fix makes it now. Find out who ran XGROUP DESTROY or deleted the key.";
    return [problem("group", found, advice, { isFixable: true })];
  },
  fix: ({ link }) => createGroup(link),
};

export const WORK_CHECK: Check = {
  name: "work",
  look: async ({ link }) => {
    const stats = await readStats(link);
    const { leaseMs } = await readGroup(link);
    const findings = [...judgeHolds(stats), ...judgeWorkers(stats, leaseMs)];
    if (findings.length > 0) return findings;
    const { waiting, inFlight, parked, workers } = stats;
    const work = `${waiting} waiting, ${inFlight} in flight, ${parked} parked`;
    return [ok("work", `${count(workers.length, "worker")}; texts: ${work}`)];
  },
  fix: ({ link }) => sweepConsumers(link),
};

function judgeHolds({
  isPaused,
  cooldownMs,
  pending,
  cooldownReason,
  workers,
}: QueueStats): Finding[] {
  const findings: Finding[] = [];
  if (isPaused) {
    const found = `The queue is paused, with ${count(pending, "text")} outstanding`;
    findings.push(warning("work", found, "Let it go on: `embedq resume`, in code resume()."));
  }
  if (cooldownMs > 0) {
    const why = cooldownReason === undefined ? "" : `: ${cooldownReason}`;
    const found = `The provider was away or refused; no worker calls it for ${Math.ceil(cooldownMs / 1000)} s more${why}`;
    const advice =
      "It ends by itself. Where the fault is mended, end it now: `embedq resume`, in code resume().";
    findings.push(note("work", found, advice));
  }
  for (const { name, pause } of workers) {
    if (pause === undefined) continue;
    const found = `The worker ${name} makes no calls for ${Math.ceil(pause.leftMs / 1000)} s more, by its own fault: ${pause.reason}`;
    const advice =
      "Mend how that worker is set up, most often its key or its model, and start it again; or end its pause now: `embedq resume`, in code resume().";
    findings.push(warning("work", found, advice));
  }
  return findings;
}

function judgeWorkers({ workers, waiting, parked }: QueueStats, leaseMs: number): Finding[] {
  const findings: Finding[] = [];
  const lost = workers.filter(({ inFlight, idleMs }) => inFlight > 0 && idleMs > leaseMs);
  if (lost.length > 0) {
    const texts = lost.reduce((sum, { inFlight }) => sum + inFlight, 0);
    const longest = Math.max(...lost.map(({ idleMs }) => idleMs));
    const found = `${count(lost.length, "worker")} of which nothing was seen for up to ${longest} ms ${lost.length === 1 ? "holds" : "hold"} ${count(texts, "text")}, longer than the lease of ${leaseMs} ms`;
    const advice =
      "Any running worker takes them over within a minute: start one (`embedq work`). If one runs, look whether it reaches Redis.";
    findings.push(warning("work", found, advice));
  }
  const present = workers.filter((worker) => worker.idleMs < AWAY_MS && !lost.includes(worker));
  if (present.length === 0 && waiting + parked > 0) {
    const found = `${count(waiting + parked, "text")} outstanding, and no worker is running`;
    findings.push(warning("work", found, "Start one: `embedq work`, or `embedq drain` for once."));
  }
  const dead = workers.filter(({ inFlight, idleMs }) => inFlight === 0 && idleMs > DEAD_AFTER_MS);
  if (dead.length > 0) {
    const found = `${count(dead.length, "worker")} that ended without a stop still ${dead.length === 1 ? "stands" : "stand"} in the group, with nothing in hand`;
    const advice = "The next worker that starts removes them, and --fix does it now.";
    findings.push(note("work", found, advice, { isFixable: true }));
  }
  return findings;
}

export const LETTERS_CHECK: Check = {
  name: "dead-letters",
  look: async ({ link }) => {
    const { dead, deadDropped } = await readStats(link);
    const findings: Finding[] = [];
    if (deadDropped > 0) {
      const found = `${count(deadDropped, "dead letter")} ${deadDropped === 1 ? "was" : "were"} dropped, as more than maxDeadLetters came`;
      const advice =
        "Their texts are lost to the queue. Raise the cap (`embedq config set --max-dead-letters`), and find out why texts are given up: `embedq dead ls`.";
      findings.push(warning("dead-letters", found, advice));
    }
    if (dead > 0) {
      const advice =
        "See why with `embedq dead ls`; send back with `embedq dead retry`, remove with `embedq dead rm`.";
      findings.push(
        note(
          "dead-letters",
          `There ${dead === 1 ? "is" : "are"} ${count(dead, "dead letter")}`,
          advice,
        ),
      );
    }
    return findings.length > 0 ? findings : [ok("dead-letters", "There are no dead letters")];
  },
};

function hasClaims(claims: object): boolean {
  return Object.values(claims).some((number: unknown) => Number(number) > 0);
}

function entriesOf(number: number): string {
  return number === 1 ? "1 entry" : `${number} entries`;
}
