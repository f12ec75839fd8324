// Gives texts to the queue, through the enqueue stage as it is.

import { type EnqueueStage, enqueue } from "../../src/flow/enqueue.ts";
import type { VectorSpace } from "../../src/model/settings.ts";
import { FLOAT_BYTES } from "../../src/model/vector.ts";
import type { Link } from "../../src/redis/link.ts";
import { lookAtDestinations } from "../../src/redis/scripts/destination.ts";
import { runJoin } from "../../src/redis/scripts/settings.ts";
import { runCancel } from "../../src/redis/scripts/settle.ts";
import { runStatus } from "../../src/redis/scripts/state.ts";
import type { Actor } from "./actor.ts";
import { digestOf, SPACE } from "./texts.ts";
import { FIELDS, SETTINGS, type World } from "./world.ts";

/** Some enqueue calls, one after the other. */
export async function produce(world: World, actor: Actor): Promise<void> {
  const { random, ledger, plan } = world;
  const stage = makeStage(world, actor);
  const calls = random.between(2, 5);
  for (let call = 0; call < calls; call++) {
    // Late enough, at times, to meet what its own texts have become.
    if (random.chance(0.5)) {
      for (let idle = random.between(1, 8); idle > 0; idle--) await actor.idle();
    }
    // Mostly one text a call; several show what a later item of the same call may see.
    const items = Array.from({ length: random.chance(0.2) ? random.between(2, 3) : 1 }, () => ({
      key: random.pick(plan.keys),
      text: random.pick(plan.texts),
    }));
    const given = ledger.begin(items);
    const accepted: { key: string; version: number }[] = [];
    if (world.misbehaviour === "skipsWithoutTouch") {
      const [item] = items as [(typeof items)[0]];
      const version = await storedVersionIfUnchanged(actor.link, item.key, item.text);
      if (version !== undefined) {
        ledger.accept(given[0] as (typeof given)[0], version);
        continue;
      }
    }
    await enqueue(stage, items, accepted, undefined);
    given.forEach((each, i) => {
      ledger.accept(each, accepted[i]?.version ?? Number.NaN);
      world.waitFor(each, random.chance(0.7));
    });
  }
}

function makeStage(world: World, actor: Actor): EnqueueStage {
  const { plan, misbehaviour } = world;
  let space: VectorSpace | undefined = plan.startsWithModel ? SPACE : undefined;
  return {
    link: misbehaviour === "clearsBeforeBlank" ? clearBeforeBlank(actor.link) : actor.link,
    onMissing: plan.onMissing,
    skipsUnchanged: plan.skipsUnchanged,
    current: () => ({ space, fields: FIELDS }),
    announce: () => Promise.resolve(),
    refresh: async () => {
      const reply = await runJoin(actor.link, {}, SETTINGS);
      if (reply.status === "ok") space = reply.settings.space;
    },
  };
}

/** For a mutant: the version that is stored, where the text seems to need nothing. */
async function storedVersionIfUnchanged(
  link: Link,
  key: string,
  text: string,
): Promise<number | undefined> {
  const items = [{ key, digest: digestOf(text) }];
  const [look] = await lookAtDestinations(link, FIELDS, SPACE.dimensions * FLOAT_BYTES, items);
  if (!look?.isUnchanged) return undefined;
  const [outstanding] = await runStatus(link, [key]);
  return outstanding === undefined ? look.storedVersion : undefined;
}

/** For a mutant: clears what is outstanding for a blank text as soon as its version is known. */
function clearBeforeBlank(link: Link): Link {
  return {
    ...link,
    run: async (script, args, options) => {
      const reply = await link.run(script, args, options);
      if (
        script.name === "enqueue" &&
        Array.isArray(reply) &&
        /^blankQueued /.test(String(reply[2]))
      ) {
        await runCancel(link, [String(args[5])]);
      }
      return reply;
    },
  };
}
