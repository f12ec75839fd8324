// Waits for a text in another process, which knows only the ticket: it looks now and then, as the
// wait stage does after an event, a reconnect or its timer.

import type { Link } from "../../src/redis/link.ts";
import { readDestinations } from "../../src/redis/scripts/destination.ts";
import { runStatus } from "../../src/redis/scripts/state.ts";
import type { Actor } from "./actor.ts";
import type { Wait } from "./ledger.ts";
import { FIELDS, type World } from "./world.ts";

/** How often a waiter looks before the end of the schedule, where everybody looks once more. */
const LOOKS = 6;

export async function waitFor(world: World, actor: Actor, wait: Wait): Promise<void> {
  for (let look = 0; look < LOOKS && wait.outcome === undefined; look++) {
    await lookAfter(world, actor.link, wait);
  }
}

/** Looks once, at the queue first. */
export async function lookAfter(world: World, link: Link, wait: Wait): Promise<void> {
  const { key } = wait.given;
  const version = wait.given.version as number;
  const readQueue = async () => (await runStatus(link, [key]))[0] ?? 0;
  const readDestination = async () => (await readDestinations(link, FIELDS, [{ key, version }]))[0];
  let outstanding = 0;
  let stored: Awaited<ReturnType<typeof readDestination>>;
  if (world.misbehaviour === "waitsDestinationFirst") {
    stored = await readDestination();
    outstanding = await readQueue();
  } else {
    outstanding = await readQueue();
    stored = await readDestination();
  }
  const storedVersion = stored?.version ?? 0;
  if (storedVersion > version) {
    wait.outcome = "superseded";
  } else if (storedVersion === version) {
    const { status = "", vector } = stored ?? {};
    wait.outcome = vector === undefined && status !== "dead" ? "gone" : status;
  } else if (outstanding < version) {
    wait.outcome = "gone";
  }
}
