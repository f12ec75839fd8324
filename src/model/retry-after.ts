// When a provider wants to be asked again: the waits that replies name, in every form that is in use.

import { type HeaderSource, type HttpReply, headerOf, type Statement } from "./http-reply.ts";

const SECOND = 1000;

/** Units of durations such as `6m0s`, `1.5s` and `20ms`, in milliseconds. */
const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: SECOND,
  m: 60 * SECOND,
  h: 3600 * SECOND,
  d: 86_400 * SECOND,
};

/** Numbers from here on are a moment in seconds, or in milliseconds, since 1970, and no span. */
const EPOCH_SECONDS = 1e9;
const EPOCH_MS = 1e12;

/**
 * The wait that a refusal asks for, in milliseconds; undefined where it asks for none. However long
 * it is: to call earlier is to be refused again. Of several forms the most exact one counts.
 *
 * @param nowMs The time of this process, where the reply does not tell its own.
 */
export function askedWaitMs(
  reply: HttpReply,
  statement: Statement,
  nowMs: number,
): number | undefined {
  const sources = [reply.headers, ...statement.headers];
  const sentAt = Date.parse(headerOf(reply.headers, "date") ?? "");
  // By the provider's clock, where it is known: ours may differ.
  const now = Number.isNaN(sentAt) ? nowMs : sentAt;
  const waits = [
    ...sources.map((headers) => spanOf(headerOf(headers, "retry-after-ms"), 1)),
    ...sources.map((headers) => retryAfterOf(headerOf(headers, "retry-after"), now)),
    longest(statement.delays.map((delay) => spanOf(delay, SECOND))),
    // A reply that is about something else also tells how the quotas stand.
    ...(isAboutRate(reply, statement) ? sources.map((headers) => resetOf(headers, now)) : []),
    longest(statement.messages.map(spokenOf)),
  ];
  const asked = waits.find((wait) => wait !== undefined && wait > 0);
  return asked === undefined ? undefined : Math.ceil(asked);
}

function isAboutRate({ status }: HttpReply, statement: Statement): boolean {
  return status === 429 || statement.status === 429;
}

/** Seconds, or a date of HTTP. */
function retryAfterOf(value: string | undefined, now: number): number | undefined {
  const span = spanOf(value, SECOND);
  if (span !== undefined || value === undefined) return span;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : at - now;
}

/** When the quota that is used up is full again; where several are, the last of them. */
function resetOf(headers: HeaderSource | undefined, now: number): number | undefined {
  const waits = ["-requests", "-tokens", ""].map((quota) => {
    const remaining = headerOf(headers, `x-ratelimit-remaining${quota}`);
    if (remaining !== undefined && Number(remaining) > 0) return undefined;
    const value = headerOf(headers, `x-ratelimit-reset${quota}`);
    const number = Number(value);
    if (number >= EPOCH_MS) return number - now;
    if (number >= EPOCH_SECONDS) return number * SECOND - now;
    const at = /^\d{4}-\d\d-\d\dT|GMT$/.test(value ?? "") ? Date.parse(value ?? "") : Number.NaN;
    return Number.isNaN(at) ? spanOf(value, SECOND) : at - now;
  });
  return longest(waits);
}

/** "Please try again in 6m0s": the only place where some gateways leave it. */
function spokenOf(message: string): number | undefined {
  const [, short] =
    /\b(?:retry|again) (?:in|after) ((?:\d+(?:\.\d+)?(?:ms|[smhd]))+)/i.exec(message) ?? [];
  if (short !== undefined) return spanOf(short, SECOND);
  const [, amount, unit] =
    /\b(?:retry|again) (?:in|after) (\d+(?:\.\d+)?) (millisecond|second|minute|hour|day)/i.exec(
      message,
    ) ?? [];
  if (amount === undefined || unit === undefined) return undefined;
  return spanOf(amount + (/^milli/i.test(unit) ? "ms" : unit.charAt(0).toLowerCase()), SECOND);
}

/** A duration in milliseconds: parts with units, or a bare number of `unitMs`. */
function spanOf(value: string | undefined, unitMs: number): number | undefined {
  const text = value?.trim() ?? "";
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * unitMs;
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h|d))+$/.test(text)) return undefined;
  let sum = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d)/g)) {
    sum += Number(amount) * (UNITS[unit as string] as number);
  }
  return sum;
}

function longest(waits: readonly (number | undefined)[]): number | undefined {
  const known = waits.filter((wait) => wait !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}
