// The names of events as values: types alone would not tell a caller of JavaScript that he listens to nothing.

import { show } from "./check.ts";
import { EmbedqError } from "./errors.ts";
import type { EventName } from "./events.ts";
import { nearest } from "./nearest.ts";

/** The compiler sees to it that none is forgotten. */
const NAMES: Readonly<Record<EventName, true>> = {
  "worker:started": true,
  "worker:stopped": true,
  "worker:paused": true,
  "worker:resumed": true,
  "worker:failed": true,
  "batch:drained": true,
  "text:retried": true,
  "text:deferred": true,
  "text:dead": true,
  "text:skipped": true,
  "lease:lost": true,
  "cooldown:started": true,
  "cooldown:ended": true,
  "budget:exhausted": true,
  "limit:lowered": true,
  "cache:failed": true,
  "publish:failed": true,
  "data:repaired": true,
  "settings:refused": true,
  "notifications:enabled": true,
  "notifications:unavailable": true,
  "connection:lost": true,
  "connection:restored": true,
  "listener:failed": true,
};

/** @throws {EmbedqError} `ERR_INPUT_INVALID` for an event that does not exist, and for what is no function. */
export function checkListener(event: unknown, listener: unknown): void {
  const known = Object.keys(NAMES);
  if (typeof event !== "string" || !known.includes(event)) {
    const meant = typeof event === "string" ? nearest(event.slice(0, 60), known) : undefined;
    const hint = meant === undefined ? `there are ${known.join(", ")}` : `did you mean ${meant}?`;
    throw new EmbedqError(
      "ERR_INPUT_INVALID",
      `Cannot listen to ${show(event)} as there is no such event: ${hint}`,
    );
  }
  if (typeof listener === "function") return;
  throw new EmbedqError(
    "ERR_INPUT_INVALID",
    `Cannot listen to ${show(event)} as the listener must be a function: it is ${show(listener)}`,
  );
}
