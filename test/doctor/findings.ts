// Reading a diagnosis.

import { type DiagnoseOptions, type Diagnosis, diagnose, type Finding } from "../../src/index.ts";
import type { Scope } from "../helpers/scope.ts";

/** A server as it should be set up, for queues that wait. */
export const WELL_SET_UP: readonly string[] = [
  "--appendonly",
  "yes",
  "--notify-keyspace-events",
  "Kh",
];

/** The diagnosis of the scope's own queue. */
export function diagnoseScope(
  scope: Scope,
  options: Partial<DiagnoseOptions> = {},
): Promise<Diagnosis> {
  return diagnose({ redis: scope.url, name: scope.name, commandTimeoutMs: 3000, ...options });
}

/** The findings of one check. */
export function of(diagnosis: Diagnosis, check: string): readonly Finding[] {
  return diagnosis.findings.filter((finding) => finding.check === check);
}

/** What is not as it should be: check and level. */
export function faults({ findings }: Diagnosis): string[] {
  return findings
    .filter(({ level }) => level !== "ok")
    .map(({ check, level }) => `${check}: ${level}`);
}

/** The URL with a user's name and password. */
export function urlAs(scope: Scope, user: string, password: string): string {
  return scope.url.replace("redis://", `redis://${user}:${password}@`);
}
