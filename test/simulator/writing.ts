// A worker's last steps: results into the destinations, then out of the queue.

import type { Job } from "../../src/model/job.ts";
import { spaceTag } from "../../src/model/settings.ts";
import { zeroVectorBytes } from "../../src/model/vector.ts";
import type { Link } from "../../src/redis/link.ts";
import {
  type DestinationWrite,
  type WriteResult,
  writeDestinations,
} from "../../src/redis/scripts/destination.ts";
import { runJoin } from "../../src/redis/scripts/settings.ts";
import { runGiveUp, runSettle } from "../../src/redis/scripts/settle.ts";
import { digestOf, SPACE, vectorOf } from "./texts.ts";
import { FIELDS, SETTINGS, type World } from "./world.ts";

type Dying = Job & { readonly reason: string };

const ZERO = zeroVectorBytes(SPACE.dimensions);

/** Stores vectors; returns the jobs that may be settled. What cannot be written becomes a dead letter. */
export async function writeEmbedded(
  world: World,
  link: Link,
  jobs: readonly Job[],
): Promise<readonly Job[]> {
  const writes = jobs.map(
    ({ key, version, text }): DestinationWrite =>
      text === ""
        ? { key, op: "blank", version, vector: ZERO, digest: "" }
        : { key, op: "embed", version, vector: vectorOf(text), digest: digestOf(text) },
  );
  const results = await write(world, link, writes);
  const unwritable = jobs.filter((_, i) => results[i] === "wrongtype");
  if (unwritable.length > 0) {
    await giveUp(
      world,
      link,
      unwritable.map((job) => ({ ...job, reason: "wrong type" })),
    );
  }
  return jobs.filter((_, i) => typeof results[i] === "string" && results[i] !== "wrongtype");
}

export async function deadMarks(world: World, link: Link, jobs: readonly Dying[]): Promise<void> {
  const isUnset = world.plan.onDead === "unset";
  await write(
    world,
    link,
    jobs.map(({ key, version }) => ({
      key,
      op: isUnset ? "unset" : "dead",
      version,
      vector: isUnset ? new Uint8Array() : ZERO,
      digest: "",
    })),
  );
}

export async function settleWritten(world: World, link: Link, jobs: readonly Job[]): Promise<void> {
  if (jobs.length === 0) return;
  let results = await runSettle(link, spaceTag(SPACE), jobs);
  if (results === undefined) {
    // The settings were lost: no other model is at work here.
    await runJoin(link, SPACE, SETTINGS);
    results = await runSettle(link, spaceTag(SPACE), jobs);
  }
  for (const result of results ?? []) world.ledger.count(`settle ${result}`);
}

export async function giveUp(world: World, link: Link, jobs: readonly Dying[]): Promise<void> {
  const results = await runGiveUp(link, jobs);
  for (const result of results) world.ledger.count(`giveUp ${result}`);
}

async function write(
  world: World,
  link: Link,
  writes: readonly DestinationWrite[],
): Promise<readonly WriteResult[]> {
  const results = await writeDestinations(link, FIELDS, world.plan.onMissing, writes);
  results.forEach((result, i) => {
    const word = typeof result === "string" ? result : "error";
    world.ledger.count(`${writes[i]?.op} ${word}`);
    if (typeof result !== "string") world.ledger.report("error", `write: ${result.error}`);
  });
  return results;
}
