// A provider call to be.

import type { Job } from "./job.ts";
import type { Whole } from "./whole.ts";

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

/** The place of a slot in a text that is too long for one. */
export interface Piece {
  readonly whole: Whole;
  readonly at: number;
}

/** One provider call to be. */
export interface Batch {
  readonly slots: readonly Slot[];
}

/** The jobs that get a vector from these slots; those of a text in pieces too. */
export function jobsOf(slots: readonly Slot[]): Job[] {
  return slots.flatMap(({ jobs, pieces }) => [
    ...jobs,
    ...pieces.flatMap(({ whole }) => whole.jobs),
  ]);
}
