// The state of a queue in one line, for logs.

import type { QueueStats } from "../../index.ts";
import { counted, oneLine, percent, perSecond, span } from "../format.ts";
import type { Rates } from "./history.ts";

/** One fact after the other, each with its name; what is always there comes first. */
export function logLine(stats: QueueStats, rates: Rates): string {
  const fill = rates.batchFill ?? stats.usage.batchFill;
  const facts = [
    `waiting ${counted(stats.waiting)}`,
    `in flight ${counted(stats.inFlight)}`,
    `parked ${counted(stats.parked)}`,
    `dead ${counted(stats.dead)}`,
    `workers ${counted(stats.workers.length)}`,
  ];
  if (stats.oldestWaitingMs !== undefined) facts.push(`oldest ${span(stats.oldestWaitingMs)}`);
  if (rates.texts !== undefined) facts.push(`texts ${perSecond(rates.texts)}`);
  if (rates.calls !== undefined) facts.push(`calls ${perSecond(rates.calls)}`);
  if (rates.tokens !== undefined) facts.push(`tokens ${perSecond(rates.tokens)}`);
  if (fill !== undefined) facts.push(`filled ${percent(fill)}`);
  if (stats.isPaused) facts.push("paused");
  if (stats.cooldownMs > 0) {
    const why = stats.cooldownReason === undefined ? "" : `: ${oneLine(stats.cooldownReason)}`;
    facts.push(`no calls for ${span(stats.cooldownMs)}${why}`);
  }
  return facts.join(", ");
}
