// What a check is given, and how one is run: a check that cannot look says so, and ends no other.

import { type Finding, note, problem, warning } from "../model/diagnosis.ts";
import { EmbedqError, messageOf } from "../model/errors.ts";
import type { ResolvedOptions } from "../model/options.ts";
import { scrub } from "../model/scrub.ts";
import type { Connection } from "../redis/connection.ts";
import type { Link } from "../redis/link.ts";
import { refusalOf } from "../redis/server.ts";

export interface Checkup {
  readonly connection: Connection;
  readonly link: Link;
  readonly options: ResolvedOptions;
  /** The number of the database. */
  readonly database: number;
  /** This user's name, for advice. */
  readonly user: string;
  /** A destination key, where one is known. */
  readonly destination: string | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Looks at one thing. Repairs nothing. */
export type Look = (at: Checkup) => Promise<readonly Finding[]>;

export interface Check {
  readonly name: string;
  readonly look: Look;
  /** Repairs what the look found fixable, all of it at once. */
  readonly fix?: ((at: Checkup) => Promise<unknown>) | undefined;
}

/** Runs a check; with `fixes`, also its repair where something is fixable. */
export async function runCheck(
  check: Check,
  at: Checkup,
  fixes: boolean,
): Promise<readonly Finding[]> {
  at.signal?.throwIfAborted();
  let findings: readonly Finding[];
  try {
    findings = await check.look(at);
  } catch (error) {
    at.signal?.throwIfAborted();
    return [unlooked(check.name, error)];
  }
  const { fix } = check;
  if (!fixes || fix === undefined || !findings.some(({ isFixable }) => isFixable)) return findings;
  let failure: unknown;
  try {
    await fix(at);
  } catch (error) {
    at.signal?.throwIfAborted();
    failure = error;
  }
  return findings.map((finding) => {
    if (finding.isFixable !== true) return finding;
    if (failure === undefined) return { ...finding, fixed: true };
    const why = `The repair failed: ${sayOf(failure)}`;
    return { ...finding, fixed: false, advice: `${why}. ${finding.advice ?? ""}`.trim() };
  });
}

/** A failure's message, fit to be shown. */
export function sayOf(error: unknown): string {
  const cause = error instanceof EmbedqError ? (error.cause ?? error) : error;
  return scrub(messageOf(cause));
}

function unlooked(name: string, error: unknown): Finding {
  const found = `This could not be looked at: ${scrub(messageOf(error))}`;
  // What lacks is told by the check of the rights.
  if (refusalOf(error) !== undefined) {
    return note(name, found, "Let a user with more rights run this once.");
  }
  const cause = error instanceof EmbedqError ? messageOf(error.cause) : "";
  if (/WRONGTYPE/.test(cause + found)) {
    const advice =
      "Something else has written to one of the queue's own keys. Use another queue name, or remove that key.";
    return problem(name, found, advice);
  }
  return warning(name, found, "Run this again; if it stays so, look into the log of Redis.");
}
