// The group that hands entries out: whether it is there, and making it again.

import { messageOf } from "../model/errors.ts";
import { DEFAULT_SETTINGS } from "../model/settings.ts";
import type { Link } from "./link.ts";
import { asList, asNumber, asText } from "./replies.ts";
import { GROUP } from "./scripts/script.ts";

export interface GroupState {
  /** Entries on the stream. */
  readonly entries: number;
  readonly exists: boolean;
  readonly leaseMs: number;
}

export async function readGroup(link: Link): Promise<GroupState> {
  const { pending, settings } = link.keys;
  const entries = asNumber(await link.send(["XLEN", pending]));
  const stored = await link.send(["HGET", settings, "leaseMs"]);
  const leaseMs = (stored === null ? 0 : Number(asText(stored))) || DEFAULT_SETTINGS.leaseMs;
  return { entries, exists: await hasGroup(link), leaseMs };
}

/** Makes the group anew, with everything on the stream still to be handed out. */
export async function createGroup(link: Link): Promise<void> {
  try {
    await link.send(["XGROUP", "CREATE", link.keys.pending, GROUP, "0", "MKSTREAM"]);
  } catch (error) {
    // A worker was faster.
    if (!/BUSYGROUP/.test(messageOf(error))) throw error;
  }
}

async function hasGroup(link: Link): Promise<boolean> {
  try {
    const groups = asList(await link.send(["XINFO", "GROUPS", link.keys.pending]));
    return groups.some((flat) => asText(asList(flat)[1]) === GROUP);
  } catch (error) {
    if (/no such key/i.test(messageOf(error))) return false;
    throw error;
  }
}
