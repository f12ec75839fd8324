// What a worker has seen of its provider and of the texts: whose fault a failure is. One text can make
// a provider look as if it was away, and a provider that is set up wrongly makes every text look bad.
// Only remembered in this worker, and never needed: what is forgotten is found out again.

import { groupBy } from "./groups.ts";
import type { Job } from "./job.ts";

/** So many texts may be charged or given up with no call that passes before the provider must show that it works. */
const MAX_CHARGES_IN_A_ROW = 8;

/** A text that failed alone this often as if the provider was away, while other calls passed in between, is at fault itself. */
const CONVICTED_AFTER = 5;

/** From so many such failures on, a text that is alone in its call is tried only after a harmless one. */
const SUSPECTED_AFTER = 3;

/** Texts remembered at most; the oldest are forgotten. */
const MAX_RECORDS = 10_000;

interface Record {
  /** Calls that had passed when the text failed last. */
  passes: number;
  /** How often it was in a call that failed as if the provider was away. */
  tries: number;
  /** How often of these other calls had passed since the time before. */
  failures: number;
  /** Texts with the same group failed together, at least one of them by its own fault. */
  group: number | undefined;
}

export class Evidence {
  readonly #maxCharges: number;
  readonly #records = new Map<string, Record>();
  /** Calls that passed. */
  #passes = 0;
  /** Texts charged or given up since. */
  #charges = 0;
  /** Calls since that failed as if the provider was away, or at fault. */
  #setbacks = 0;
  #groups = 0;

  constructor(maxChargesInARow: number = MAX_CHARGES_IN_A_ROW) {
    this.#maxCharges = maxChargesInARow;
  }

  /** Calls in a row that failed as if the provider was away, or at fault. */
  get setbacks(): number {
    return this.#setbacks;
  }

  /** A call came through with vectors for these jobs. */
  passed(jobs: readonly Job[]): void {
    this.#passes++;
    this.#charges = 0;
    this.#setbacks = 0;
    if (this.#records.size > 0) for (const job of jobs) this.#records.delete(nameOf(job));
  }

  /** The provider has failed even with a harmless text: the next call is a smaller one, of other texts. */
  doubtProvider(): void {
    this.#setbacks++;
  }

  /** Whether so many further texts may be charged without asking whether the provider works at all. */
  mayCharge(count: number): boolean {
    this.#charges += count;
    return this.#charges <= this.#maxCharges;
  }

  /** These jobs were in a call that failed as if the provider was away. */
  failedAway(jobs: readonly Job[]): void {
    this.#setbacks++;
    const again: Record[] = [];
    for (const job of jobs) {
      const record = this.#recordOf(job);
      record.tries++;
      if (this.#passes > record.passes) {
        record.failures++;
        again.push(record);
      }
      record.passes = this.#passes;
    }
    this.#group(again);
  }

  /** One of these jobs was refused, and it could not be found out which. */
  failedTogether(jobs: readonly Job[]): void {
    this.#group(jobs.map((job) => this.#recordOf(job)));
  }

  /** It may be the jobs that make the provider look away. */
  areSuspected(jobs: readonly Job[]): boolean {
    return jobs.some((job) => (this.#records.get(nameOf(job))?.tries ?? 0) >= SUSPECTED_AFTER);
  }

  /** The jobs, alone in a call that failed as if the provider was away, are at fault themselves. */
  areConvicted(jobs: readonly Job[]): boolean {
    return jobs.every((job) => (this.#records.get(nameOf(job))?.failures ?? 0) >= CONVICTED_AFTER);
  }

  /** Tells the jobs apart from those that failed together: of these, each half goes on its own. */
  sift(jobs: readonly Job[]): {
    readonly others: readonly Job[];
    readonly halves: readonly (readonly Job[])[];
  } {
    if (this.#records.size === 0) return { others: jobs, halves: [] };
    const groups = groupBy(jobs, (job) => this.#records.get(nameOf(job))?.group);
    const others = groups.get(undefined) ?? [];
    groups.delete(undefined);
    const halves = [...groups.values()].flatMap((group) => {
      const middle = Math.ceil(group.length / 2);
      return [group.slice(0, middle), group.slice(middle)];
    });
    return { others, halves: halves.filter((half) => half.length > 0) };
  }

  #group(records: readonly Record[]): void {
    if (records.length === 0) return;
    const group = this.#groups++;
    for (const record of records) record.group = group;
  }

  #recordOf(job: Job): Record {
    const name = nameOf(job);
    const known = this.#records.get(name);
    if (known !== undefined) return known;
    const record: Record = { passes: this.#passes, tries: 0, failures: 0, group: undefined };
    this.#records.set(name, record);
    const oldest = this.#records.keys().next();
    if (this.#records.size > MAX_RECORDS && !oldest.done) this.#records.delete(oldest.value);
    return record;
  }
}

/** An entry can come to stand for a newer text. */
function nameOf({ entryId, version }: Job): string {
  return `${entryId} ${version}`;
}
