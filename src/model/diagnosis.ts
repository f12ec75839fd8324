// What a look at a set-up brings to light: one finding for each thing that was looked at.

/**
 * How bad a finding is:
 *
 * - `ok`: as it should be.
 * - `note`: worth knowing, nothing to do.
 * - `warning`: works, but something is slower or less safe than it could be.
 * - `problem`: texts can be lost, or stay where they are, until somebody acts.
 */
export type FindingLevel = "ok" | "note" | "warning" | "problem";

/** One thing that was looked at. */
export interface Finding {
  /** What was looked at, as a stable word, for instance `eviction`. One check can have several findings. */
  readonly check: string;
  /** How bad it is. */
  readonly level: FindingLevel;
  /** What was found, with its present value, in a sentence. Without credentials and texts. */
  readonly found: string;
  /** What to do about it; undefined where there is nothing to do. */
  readonly advice?: string | undefined;
  /** True where `fix` can do it. */
  readonly isFixable?: boolean | undefined;
  /** True where `fix` has done it; false where it tried and failed. */
  readonly fixed?: boolean | undefined;
}

/** All findings, in the order in which they were looked at. */
export interface Diagnosis {
  /** What was found; also what is as it should be. */
  readonly findings: readonly Finding[];
  /** True where no problem is left. */
  readonly isHealthy: boolean;
}

/** What a finding may have beside its three words. */
type More = Pick<Finding, "advice" | "isFixable">;

export function ok(check: string, found: string): Finding {
  return { check, level: "ok", found };
}

export function note(check: string, found: string, advice?: string, more: More = {}): Finding {
  return { check, level: "note", found, advice, ...more };
}

export function warning(check: string, found: string, advice: string, more: More = {}): Finding {
  return { check, level: "warning", found, advice, ...more };
}

export function problem(check: string, found: string, advice: string, more: More = {}): Finding {
  return { check, level: "problem", found, advice, ...more };
}

/** The number with its noun, in the plural unless it is one. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : noun.endsWith("y") ? "" : "s"}`;
}
