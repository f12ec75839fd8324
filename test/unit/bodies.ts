// What the tests of refusals share: bodies as providers send them, and what becomes of them.

import { sortRefusal } from "../../src/model/refusals.ts";

/** "kind", "kind/account" or "kind/exceeded", so that a table reads in one line. */
export function sorted(status: number, body?: unknown, headers?: Record<string, string>): string {
  const error = sortRefusal({ status, body, headers }, { nowMs: 0 });
  if (error === undefined) return "nothing";
  const { kind, scope, exceeded } = error;
  return [kind, exceeded ?? (scope === "account" ? scope : undefined)].filter(Boolean).join("/");
}

export const openAI = (message: string, rest: object = {}) => ({
  error: { message, type: "invalid_request_error", param: null, code: null, ...rest },
});
export const google = (status: string, message: string, details: readonly object[] = []) => ({
  error: { code: 400, message, status, details },
});
