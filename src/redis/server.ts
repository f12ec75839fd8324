// The server itself: what it tells of its state, how it is set up, and its clock.

import { EmbedqError, messageOf } from "../model/errors.ts";
import type { Link } from "./link.ts";
import { asFlatStrings, asText } from "./replies.ts";

/** What a command was refused for; undefined where it was not refused. */
export type Refusal = "command" | "key" | "channel";

/** Reads a failure: whether this user, or this server, lacks the right or the command. */
export function refusalOf(error: unknown): Refusal | undefined {
  const cause = error instanceof EmbedqError ? (error.cause ?? error) : error;
  const message = messageOf(cause);
  // A renamed command is one that nobody may use.
  if (/unknown (sub)?command/i.test(message)) return "command";
  if (!message.startsWith("NOPERM")) return undefined;
  if (/channel/i.test(message)) return "channel";
  return /\bkeys?\b/i.test(message) ? "key" : "command";
}

/** One section of INFO. */
export async function readInfo(link: Link, section: string): Promise<ReadonlyMap<string, string>> {
  const text = asText(await link.send(["INFO", section]));
  const fields = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(":");
    if (colon > 0 && !line.startsWith("#")) fields.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return fields;
}

/** One parameter of the server; undefined where this user may not ask, or the server has none such. */
export async function readConfig(link: Link, name: string): Promise<string | undefined> {
  try {
    return asFlatStrings(await link.send(["CONFIG", "GET", name]))[1];
  } catch (error) {
    if (refusalOf(error) !== undefined) return undefined;
    throw error;
  }
}

/** The server's clock beside that of this process. */
export interface ClockReading {
  /** How far the server's clock is ahead, in milliseconds; negative where it is behind. */
  readonly aheadMs: number;
  /** By how much that can be wrong: the reply was under way for twice as long. */
  readonly uncertainMs: number;
}

/** Compares the clocks; of a few readings the one whose reply came soonest. */
export async function readClock(link: Link): Promise<ClockReading> {
  let best: ClockReading = { aheadMs: 0, uncertainMs: Number.POSITIVE_INFINITY };
  for (let reading = 0; reading < 3; reading++) {
    const askedAt = performance.now();
    const startMs = Date.now();
    const [seconds, micros] = asFlatStrings(await link.send(["TIME"])).map(Number);
    const uncertainMs = (performance.now() - askedAt) / 2;
    if (uncertainMs >= best.uncertainMs) continue;
    const serverMs = (seconds ?? 0) * 1000 + (micros ?? 0) / 1000;
    best = { aheadMs: serverMs - startMs - uncertainMs, uncertainMs };
  }
  return best;
}
