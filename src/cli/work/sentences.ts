// What the events of a worker are to people: one sentence each, and how much it matters.

import type { EmbedqEvents, EventName } from "../../index.ts";
import { messageOf } from "../errors.ts";
import { counted, countedNoun, oneLine, percent, span } from "../format.ts";

export interface Sentence {
  /** `warning` is said even with `--quiet`, `detail` only with `--verbose`. */
  readonly weight: "warning" | "news" | "detail";
  readonly text: string;
  /** Sentences about the same are held down together; numbers and what is in quotes make no difference. */
  readonly topic: string;
}

type Sentences = {
  readonly [Name in EventName]: (payload: EmbedqEvents[Name]) => Sentence | undefined;
};

/** What ends, by the event that says so. */
export const BEGINS: { readonly [Name in EventName]?: EventName } = {
  "worker:resumed": "worker:paused",
  "cooldown:ended": "cooldown:started",
  "connection:restored": "connection:lost",
};

/** A provider's message can be a page. */
const MESSAGE_LENGTH = 300;

/** The compiler sees to it that no event is forgotten. Undefined where the command itself says it, with more. */
export const SENTENCES: Sentences = {
  "worker:started": () => undefined,
  "worker:stopped": () => undefined,
  "worker:paused": ({ pauseMs, error }) =>
    warning(`no calls for ${span(pauseMs)}, this worker is at fault: ${said(error)}`),
  "worker:resumed": () => news("calls pass again: this worker goes on"),
  "worker:failed": ({ action, error }) =>
    warning(`cannot ${action} for now, trying again: ${said(error)}`),
  "batch:drained": (batch) => detail(drained(batch)),
  "text:retried": ({ key, attempts, backoffMs, error }) => ({
    ...news(said(error), "a text failed"),
    text: `${named(key)} failed, ${countedNoun(attempts, "attempt")} so far, again in ${span(backoffMs)}: ${said(error)}`,
  }),
  "text:deferred": ({ key, error }) => ({
    ...detail(said(error), "a text went back"),
    text: `${named(key)} went back to the queue: ${said(error)}`,
  }),
  "text:dead": ({ key, attempts, reason }) => ({
    ...warning(reason, "a text was given up"),
    text: `${named(key)} given up${afterAttempts(attempts)}: ${oneLine(reason, MESSAGE_LENGTH)}`,
  }),
  "text:skipped": ({ key }) => ({
    ...detail("its destination does not exist", "skipped"),
    text: `${named(key)} dropped: its destination does not exist`,
  }),
  "lease:lost": ({ keys }) =>
    warning(`${countedNoun(keys.length, "text")} went to another worker: the lease ran out`),
  "cooldown:started": ({ pauseMs, error }) =>
    warning(`all workers make no calls for ${span(pauseMs)}: ${said(error)}`),
  "cooldown:ended": () => news("the provider is back: all workers go on"),
  "budget:exhausted": ({ account, waitMs }) =>
    news(`the budget of the account ${oneLine(account, 60)} is used up for ${span(waitMs)}`),
  "limit:lowered": ({ measure, limit }) =>
    news(
      `the provider refused a call for its size: at most ${counted(limit)} ${measure} from now on`,
    ),
  "cache:failed": ({ error }) =>
    warning(`the cache does not work, calls are made instead: ${said(error)}`),
  "publish:failed": ({ error }) =>
    warning(`listeners elsewhere could not be told of done work: ${said(error)}`),
  "data:repaired": ({ what }) => news(`repaired: ${oneLine(what, MESSAGE_LENGTH)}`),
  "settings:refused": ({ error }) =>
    warning(`the settings were changed to what this worker cannot share: ${said(error)}`),
  "notifications:enabled": ({ flags }) => detail(`keyspace notifications are on: ${flags}`),
  "notifications:unavailable": ({ error }) =>
    detail(`keyspace notifications cannot be had: ${said(error)}`),
  "connection:lost": ({ role, error }) =>
    role === "commands"
      ? warning(`Redis is away, trying again: ${said(error)}`)
      : detail(`the connection for pub/sub is lost: ${said(error)}`),
  "connection:restored": ({ role }) =>
    role === "commands" ? news("Redis is back") : detail("the connection for pub/sub is back"),
  "listener:failed": ({ event, error }) => warning(`a listener of ${event} failed: ${said(error)}`),
};

function warning(text: string, about = ""): Sentence {
  return { weight: "warning", text, topic: `${about} ${text}` };
}

export function news(text: string, about = ""): Sentence {
  return { weight: "news", text, topic: `${about} ${text}` };
}

function detail(text: string, about = ""): Sentence {
  return { weight: "detail", text, topic: `${about} ${text}` };
}

function drained(batch: EmbedqEvents["batch:drained"]): string {
  const { batchSize, durationMs, calls, batchFill, tokens, cacheHits, reason } = batch;
  const parts = [
    `${countedNoun(batchSize, "text")} in ${span(durationMs)}`,
    countedNoun(calls, "call"),
  ];
  if (batchFill !== undefined) parts.push(`filled ${percent(batchFill)}`);
  parts.push(countedNoun(tokens, "token"));
  if (cacheHits > 0) parts.push(`${counted(cacheHits)} from the cache`);
  parts.push(`due by ${reason}`);
  if (batch.errorCount > 0) parts.push(`${counted(batch.errorCount)} not embedded`);
  const why = batch.error === undefined ? "" : `: ${said(batch.error)}`;
  return parts.join(", ") + why;
}

/** A text that the provider refuses for good needs none. */
function afterAttempts(attempts: number): string {
  return attempts === 0 ? "" : ` after ${countedNoun(attempts, "attempt")}`;
}

function named(key: string): string {
  return oneLine(key, 80);
}

function said(error: Error): string {
  return oneLine(messageOf(error), MESSAGE_LENGTH);
}
