// A provider call to be.

import type { Job } from "./job.ts";
import type { Piece } from "./whole.ts";

/** One text of a provider call, and who gets its vector. */
export interface Slot {
  /** As it is sent: not blank, and in no other slot of the batch. */
  readonly text: string;
  /** Counted or estimated. */
  readonly tokens: number;
  /** UTF-8 bytes. */
  readonly bytes: number;
  /** The jobs whose text this is. */
  readonly jobs: readonly Job[];
  /** The longer texts of which this is a piece. */
  readonly pieces: readonly Piece[];
}

/** One provider call to be. */
export interface Batch {
  readonly slots: readonly Slot[];
}

/** Who waits for a vector: jobs, and longer texts of which this is a piece. */
export type Owner = Pick<Slot, "jobs" | "pieces">;

/** The jobs that wait for a vector of these; those of a text in pieces too. */
export function jobsOf(owners: readonly Owner[]): Job[] {
  return owners.flatMap(({ jobs, pieces }) => [
    ...jobs,
    ...jobsOf(pieces.map(({ whole }) => whole)),
  ]);
}

/** The jobs that now have their vector, with it; those of a text in pieces with its last piece. */
export function delivered(
  { jobs, pieces }: Owner,
  vector: Uint8Array,
  sent: string | undefined,
): { readonly job: Job; readonly vector: Uint8Array; readonly sent: string | undefined }[] {
  return [
    ...jobs.map((job) => ({ job, vector, sent })),
    ...pieces.flatMap(({ whole, at }) => {
      const mean = whole.give(at, vector);
      return mean === undefined ? [] : delivered(whole, mean, undefined);
    }),
  ];
}

/** The jobs that will have no vector now; those of a text in pieces with the first piece that has none. */
export function ended({ jobs, pieces }: Owner): Job[] {
  return [...jobs, ...pieces.flatMap(({ whole }) => (whole.end() ? ended(whole) : []))];
}
