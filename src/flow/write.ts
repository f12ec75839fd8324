// Stage 6: results go into the destination hashes, each only where nothing newer is stored.
// Does not let go of the work: settling comes after the replies, so that a crash between the two
// costs a repeated write and never a vector.

import { sourceDigest } from "../model/digest.ts";
import { EmbedqError, messageOf } from "../model/errors.ts";
import type { Job } from "../model/job.ts";
import type { StoredResult } from "../model/outcome.ts";
import type { VectorSpace } from "../model/settings.ts";
import { zeroVectorBytes } from "../model/vector.ts";
import type { Link } from "../redis/link.ts";
import {
  type DestinationFields,
  type DestinationWrite,
  readDestinations,
  type WriteResult,
  writeDestinations,
} from "../redis/scripts/destination.ts";

/** Writes in one script call: 11 µs for a vector of 768 numbers. */
const MAX_WRITES = 256;

export interface WriteStage {
  readonly link: Link;
  readonly fields: DestinationFields;
  readonly space: VectorSpace;
  readonly onMissing: "create" | "skip";
  readonly onDead: "zero" | "unset";
}

/** A job with the vector of its text; the vector is undefined for blank text. */
export interface EmbeddedJob {
  readonly job: Job;
  readonly vector: Uint8Array | undefined;
}

/** Stores embeddings, and zero vectors for blank texts. */
export function writeEmbeddings(
  stage: WriteStage,
  embedded: readonly EmbeddedJob[],
): Promise<readonly WriteResult[]> {
  const { space } = stage;
  return write(
    stage,
    embedded.map(({ job: { key, version, text }, vector }) =>
      vector === undefined
        ? { key, op: "blank", version, vector: zeroVectorBytes(space.dimensions), digest: "" }
        : { key, op: "embed", version, vector, digest: sourceDigest(space, text) },
    ),
  );
}

/** Marks the destinations of texts that are given up. */
export function writeDeadMarks(
  stage: WriteStage,
  jobs: readonly Job[],
): Promise<readonly WriteResult[]> {
  const isUnset = stage.onDead === "unset";
  const vector = isUnset ? new Uint8Array() : zeroVectorBytes(stage.space.dimensions);
  return write(
    stage,
    jobs.map(({ key, version }) => ({
      key,
      op: isUnset ? "unset" : "dead",
      version,
      vector,
      digest: "",
    })),
  );
}

/** Whether the destinations hold results at least as new: then a crash only kept them from being settled. */
export async function areWritten(
  stage: WriteStage,
  jobs: readonly Job[],
): Promise<readonly boolean[]> {
  const stored = await readDestinations(stage.link, stage.fields, jobs);
  return jobs.map((job, i) => {
    const { version, status } = stored[i] as StoredResult;
    // A dead mark of this very version still lacks its letter.
    return version > job.version || (version === job.version && status !== "dead");
  });
}

async function write(
  stage: WriteStage,
  writes: readonly DestinationWrite[],
): Promise<readonly WriteResult[]> {
  const results: WriteResult[] = [];
  for (let at = 0; at < writes.length; at += MAX_WRITES) {
    results.push(...(await writePage(stage, writes.slice(at, at + MAX_WRITES))));
  }
  return results;
}

/** A key that this user may not touch makes Redis refuse the whole call: it is split until that key stands alone. */
async function writePage(
  stage: WriteStage,
  page: readonly DestinationWrite[],
): Promise<readonly WriteResult[]> {
  try {
    return await writeDestinations(stage.link, stage.fields, stage.onMissing, page);
  } catch (error) {
    if (!isForbidden(error)) throw error;
    if (page.length === 1) return ["forbidden"];
    const middle = Math.ceil(page.length / 2);
    const first = await writePage(stage, page.slice(0, middle));
    return [...first, ...(await writePage(stage, page.slice(middle)))];
  }
}

function isForbidden(error: unknown): boolean {
  // Not where the script itself, or one of its commands, is forbidden: that is no fault of a key.
  return error instanceof EmbedqError && /NOPERM.*(key|keys)/i.test(messageOf(error));
}
