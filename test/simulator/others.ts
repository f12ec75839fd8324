// Those who interfere: one cancels, one sends dead letters back.

import { listLetters, sendBackLetter } from "../../src/flow/letters.ts";
import type { DeadLetter } from "../../src/model/outcome.ts";
import { runCancel } from "../../src/redis/scripts/settle.ts";
import type { Actor } from "./actor.ts";
import { type GivenText, nameOf } from "./ledger.ts";
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
    const [letter] = await listLetters(actor.link, { limit: 1 });
    if (letter?.key !== undefined && letter.text !== undefined) {
      await sendOneBack(world, actor, letter);
    }
  }
}

async function sendOneBack(world: World, actor: Actor, letter: DeadLetter): Promise<void> {
  const { ledger } = world;
  const { id, key = "", text = "", version: letterVersion = 0 } = letter;
  // What was accepted before this began is seen, or it was newer and is written over.
  const newer = ledger.kept(key).filter(({ version = 0 }) => version > letterVersion);
  const [given] = ledger.begin([{ key, text }]) as [GivenText];
  ledger.touchedLetters.add(nameOf(key, letterVersion));
  const reply = await sendBackLetter(actor.link, FIELDS, id);
  ledger.count(`sendBack ${reply.status}`);
  if (reply.status !== "queued") return;
  ledger.accept(given, reply.version);
  world.waitFor(given, false);
  const over = newer.find(
    (each) => !ledger.mayBeCancelled(each) && (each.version ?? 0) < reply.version,
  );
  // Where missing destinations are skipped, what is newer may never have been stored.
  const isCertain = world.plan.onMissing === "create" && ledger.damage === undefined;
  if (over !== undefined && isCertain) {
    const detail = `${key}=${text}@${letterVersion} over ${over.text}@${over.version}`;
    ledger.report("sentBackOverNewer", detail);
  }
}
