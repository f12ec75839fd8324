// Before anything else: agreeing with the queue on what all its processes must share.

import { EmbedqError } from "../model/errors.ts";
import { PROTOCOL, type RequestedSettings, type StoredSettings } from "../model/settings.ts";
import type { Link } from "../redis/link.ts";
import {
  runConfigure,
  runJoin,
  runPause,
  runSinceResume,
  type SettingsReply,
} from "../redis/scripts/settings.ts";

/**
 * Adopts the stored settings and stores what is asked for and missing.
 *
 * @param gaps Stored where nothing is yet, never in conflict.
 * @param mustExist Whether a queue without any settings is none.
 * @throws {EmbedqError} `ERR_SETTINGS_CONFLICT`, `ERR_PROTOCOL_NEWER`, `ERR_QUEUE_MISSING`; nothing is
 *   written then.
 */
export async function joinQueue(
  link: Link,
  asked: RequestedSettings,
  gaps: RequestedSettings,
  mustExist = false,
): Promise<StoredSettings> {
  const reply = await runJoin(link, asked, gaps, mustExist);
  if (reply.status === "missing") {
    throw new EmbedqError(
      "ERR_QUEUE_MISSING",
      `Cannot join the queue ${JSON.stringify(link.keys.name)} as it must exist: this Redis holds no settings of it. Look at the name and the database, or leave \`mustExist\` out to begin a new queue`,
    );
  }
  if (reply.status === "conflict") {
    const differences = reply.conflicts.map(
      ({ name, stored, asked: wanted }) => `\`${name}\` is ${stored}, asked for ${wanted}`,
    );
    throw new EmbedqError(
      "ERR_SETTINGS_CONFLICT",
      `Cannot join the queue ${JSON.stringify(link.keys.name)} as its settings differ: ${differences.join("; ")}. Leave the option out to adopt what is stored, use another queue name, or change it for all processes with configure(), called on a queue that does not ask for it`,
    );
  }
  return settingsOf(link, reply, "join");
}

/**
 * Changes settings for all processes, also while they work.
 *
 * @param own What this process asks for itself: to another model, it could not follow the others.
 * @throws {EmbedqError} `ERR_SETTINGS_BUSY` for another model while texts are in flight;
 *   `ERR_SETTINGS_CONFLICT` for another model than this process asks for; `ERR_OPTION_INVALID`.
 */
export async function configureQueue(
  link: Link,
  changes: RequestedSettings,
  own: RequestedSettings = {},
): Promise<StoredSettings> {
  for (const name of ["model", "dimensions", "task"] as const) {
    const [wanted, kept] = [changes[name], own[name]];
    if (wanted === undefined || kept === undefined || wanted === kept) continue;
    throw new EmbedqError(
      "ERR_SETTINGS_CONFLICT",
      `Cannot configure the queue ${JSON.stringify(link.keys.name)} for the ${name} ${JSON.stringify(wanted)} as this queue object must not ask for another: its embedder or options ask for ${JSON.stringify(kept)}. Call configure() on a queue without embedder and \`model\`, and start workers with the new embedder`,
    );
  }
  return settingsOf(link, await runConfigure(link, changes), "configure");
}

/**
 * Stops claims of all workers, or allows them again and ends the pauses that the provider was given.
 * Calls in flight are not stopped.
 */
export function setPaused(link: Link, isPaused: boolean): Promise<void> {
  return runPause(link, isPaused);
}

/** Whether the queue was resumed within the last so many milliseconds, by Redis' clock. */
export async function wasResumedWithin(link: Link, ms: number): Promise<boolean> {
  const sinceMs = await runSinceResume(link);
  return sinceMs !== undefined && sinceMs < ms;
}

function settingsOf(link: Link, reply: SettingsReply, action: string): StoredSettings {
  if (reply.status === "ok") return reply.settings;
  const name = JSON.stringify(link.keys.name);
  if (reply.status === "protocol") {
    throw new EmbedqError(
      "ERR_PROTOCOL_NEWER",
      `Cannot ${action} the queue ${name} as its protocol must be ${PROTOCOL}: it is ${reply.found}. Update embedq in this process`,
    );
  }
  if (reply.status === "half") {
    throw new EmbedqError(
      "ERR_OPTION_INVALID",
      `Cannot configure the queue ${name} as \`model\` and \`dimensions\` must be given together: ${halfOf(reply)}`,
    );
  }
  const inFlight = reply.status === "busy" ? reply.inFlight : 0;
  throw new EmbedqError(
    "ERR_SETTINGS_BUSY",
    `Cannot change the model of the queue ${name} as no text may be in flight meanwhile: ${inFlight} are. pause() the queue and try again`,
  );
}

function halfOf({ model, dimensions }: Extract<SettingsReply, { status: "half" }>): string {
  if (model === "" || dimensions === "") return "nothing is stored of the other one";
  return `the ${dimensions} that are stored are of ${JSON.stringify(model)}, not of the new model`;
}
