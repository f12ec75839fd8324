// Those who interfere: one cancels, one sends dead letters back.

import { EmbedqError } from "../../src/model/errors.ts";
import { readLetters } from "../../src/redis/deadletters.ts";
import { runSendBack } from "../../src/redis/scripts/dead.ts";
import { lookAtDestinations } from "../../src/redis/scripts/destination.ts";
import { runCancel } from "../../src/redis/scripts/settle.ts";
import type { Actor } from "./actor.ts";
import { nameOf } from "./ledger.ts";
import { FIELDS, type World } from "./world.ts";

/** Cancels a key, now or later. */
export async function cancel(world: World, actor: Actor): Promise<void> {
  for (let idle = world.random.between(0, 8); idle > 0; idle--) await actor.idle();
  const key = world.random.pick(world.plan.keys);
  const record = world.ledger.beginCancel(key);
  const [found] = await runCancel(actor.link, [key]);
  world.ledger.count(`cancel ${found}`);
  record.endedAt = world.ledger.tick();
}

/** Looks now and then for dead letters and sends the oldest back. */
export async function sendBack(world: World, actor: Actor): Promise<void> {
  for (let turn = 0; turn < 8; turn++) {
    await actor.idle();
    const [letter] = await readLetters(actor.link, undefined, 1);
    if (letter?.key === undefined || letter.text === undefined) continue;
    await sendLetterBack(world, actor, letter.id, letter.key, letter.text, letter.version ?? 0);
  }
}

async function sendLetterBack(
  world: World,
  actor: Actor,
  id: string,
  key: string,
  text: string,
  letterVersion: number,
): Promise<void> {
  const { ledger } = world;
  // What was accepted before the call began is newer than the letter, or it is not.
  const newer = ledger
    .kept(key)
    .filter(({ version }) => version !== undefined && version > letterVersion);
  const [given] = ledger.begin([{ key, text }]) as [ReturnType<typeof ledger.begin>[0]];
  const [look] = await lookAtDestinations(actor.link, FIELDS, 0, [{ key, digest: "" }]);
  ledger.touchedLetters.add(nameOf(key, letterVersion));
  const reply = await runSendBack(actor.link, id, look?.storedVersion ?? 0);
  ledger.count(`sendBack ${reply.status}`);
  if (reply.status !== "queued") return;
  ledger.accept(given, reply.version);
  world.waitFor(given, false);
  const over = newer.find(
    (each) => !ledger.mayBeCancelled(each) && (each.version as number) < reply.version,
  );
  // Where missing destinations are skipped, what is newer may never have been stored.
  const isCertain = world.plan.onMissing === "create" && ledger.damage === undefined;
  if (over !== undefined && isCertain) {
    const detail = `${key}=${text}@${letterVersion} over ${over.text}@${over.version}`;
    ledger.report("sentBackOverNewer", detail);
  }
}

/** Whether a failure is that of a reply that never came. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof EmbedqError && error.code === "ERR_REDIS_UNAVAILABLE";
}
