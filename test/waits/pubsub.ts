// What Redis itself says about who hears what.

import type { Scope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";

/** The destination keys whose channels Redis knows of. */
export async function heardKeys({ client }: Scope, database = 0): Promise<string[]> {
  const prefix = `__keyspace@${database}__:`;
  const channels = await client.pubSubChannels();
  return channels
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length));
}

/** Waits until Redis knows of exactly so many channels of destinations. */
export async function untilHeard(scope: Scope, count: number, database = 0): Promise<void> {
  await until(async () => (await heardKeys(scope, database)).length === count, {
    what: `${count} channels of destinations`,
    timeoutMs: 15_000,
  });
}

/** How many connections Redis counts as pub/sub. */
export async function subscribers({ client }: Scope): Promise<number> {
  const list = String(await client.sendCommand(["CLIENT", "LIST", "TYPE", "pubsub"]));
  return list.split("\n").filter((line) => line !== "").length;
}

/** Ends all of them, as an operator might; returns how many there were. */
export async function killSubscribers({ client }: Scope): Promise<number> {
  return Number(await client.sendCommand(["CLIENT", "KILL", "TYPE", "pubsub"]));
}

/** The flags that are set for notifications, sorted. */
export async function flags({ client }: Scope): Promise<string> {
  const { "notify-keyspace-events": value = "" } = await client.configGet("notify-keyspace-events");
  return [...value].sort().join("");
}
