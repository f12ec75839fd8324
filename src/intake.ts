// How texts come into a queue: handed in by a producer, read by a walk over hashes in Redis, or taken
// over from the Python module that embedq replaces.

import { type AcceptedText, type EnqueueStage, enqueue, enqueueRead } from "./flow/enqueue.ts";
import { TakeOver } from "./flow/takeover.ts";
import { Walk } from "./flow/walk.ts";
import { EnqueueError } from "./model/errors.ts";
import { checkItems } from "./model/input.ts";
import type { EnqueueItem } from "./model/job.ts";
import { Wakeup } from "./model/lifecycle.ts";
import { checkTakeOver, type TakeOverOptions, type TakeOverResult } from "./model/takeover.ts";
import {
  checkModel,
  checkWalk,
  type ReembedOptions,
  type WalkKind,
  type WalkResult,
} from "./model/walk.ts";
import type { Session } from "./session.ts";

/**
 * Accepts items in order.
 *
 * @throws {EnqueueError} Where it fails in the middle, with the tickets of what was accepted.
 */
export async function acceptItems<Ticket extends AcceptedText>(
  session: Session,
  items: readonly EnqueueItem[],
  signal: AbortSignal | undefined,
  toTicket: (text: AcceptedText) => Ticket,
): Promise<Ticket[]> {
  checkItems(items, session.link.keys.reservedPrefix);
  // A copy: the caller may use the array again before all chunks are sent.
  const own = items.map(({ key, text }) => ({ key, text }));
  const accepted: AcceptedText[] = [];
  const stage = stageOf(session, session.options.skipUnchanged);
  try {
    await enqueue(stage, own, accepted, signal);
  } catch (error) {
    if (accepted.length === 0) throw error;
    throw new EnqueueError(own.length, accepted.map(toTicket), error);
  }
  return accepted.map(toTicket);
}

/** Walks over hashes and enqueues their texts. */
export async function walkHashes(
  session: Session,
  kind: WalkKind,
  options: ReembedOptions,
  stopSignal: AbortSignal,
): Promise<WalkResult> {
  const plan = checkWalk(kind, options);
  // A change of the model that was not heard of yet is what this walk may be for.
  try {
    await session.refresh();
  } catch (error) {
    // A stop cuts the connection under a command: the stop is the reason.
    stopSignal.throwIfAborted();
    throw error;
  }
  checkModel(kind, session.settings.space);
  const wakeup = new Wakeup();
  const unhook = session.onRing((word) => {
    if (word === "taken" || word === "flushed") wakeup.ring();
  });
  // The walk itself sees what is unchanged.
  const stage = stageOf(session, false);
  const walk = new Walk(
    {
      link: session.link,
      current: () => ({ ...session.settings, fields: session.fields }),
      enqueue: (texts) => enqueueRead(stage, texts),
      wakeup,
      stopSignal,
    },
    kind,
    plan,
  );
  try {
    return await walk.run();
  } finally {
    unhook();
  }
}

/** Enqueues what the Python module has not embedded yet, and removes it there. */
export async function takeOverWork(
  session: Session,
  options: TakeOverOptions | undefined,
  stopSignal: AbortSignal,
): Promise<TakeOverResult> {
  const plan = checkTakeOver(options);
  // What the module wrote has no source to compare a text with.
  const stage = stageOf(session, false);
  const takeOver = new TakeOver(
    {
      link: session.link,
      maxBatchSize: () => session.settings.maxBatchSize,
      enqueue: (texts) => enqueueRead(stage, texts),
      stopSignal,
    },
    plan,
  );
  return takeOver.run();
}

function stageOf(session: Session, skipsUnchanged: boolean): EnqueueStage {
  return {
    link: session.link,
    onMissing: session.options.onMissing,
    skipsUnchanged,
    current: () => ({ space: session.settings.space, fields: session.fields }),
    refresh: () => session.refresh(),
    announce: (keys) => session.announce(keys, false),
  };
}
