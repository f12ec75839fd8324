// Stage 1: texts become outstanding work, chunk by chunk. What needs no provider is done here and now:
// blank texts get their zero vector, unchanged ones only a new version.

import { utf8Length } from "../model/embedder.ts";
import { asError } from "../model/errors.ts";
import type { EnqueueItem } from "../model/job.ts";
import type { ReadText } from "../model/walk.ts";
import type { EnqueueReply } from "../redis/scripts/enqueue.ts";
import {
  type AcceptedText,
  acceptChunk,
  type ChunkOrder,
  type ChunkResult,
  concludeChunk,
  type DecidedText,
  type EnqueueStage,
  type PreparedChunk,
  prepareChunk,
  sendChunk,
} from "./accept.ts";

export type { AcceptedText, EnqueueStage } from "./accept.ts";

/** Items in one script call: about 6 µs an item, so that Redis is held for 1 to 2 ms. */
const MAX_CHUNK_ITEMS = 256;
/** Text in one script call, in bytes. A single longer text goes alone. */
const MAX_CHUNK_BYTES = 4 * 1024 * 1024;
/** Texts of at most so many characters cannot fill a call, whatever their characters are. */
const SHORT_LENGTH = Math.floor(MAX_CHUNK_BYTES / MAX_CHUNK_ITEMS / 3);

/**
 * Accepts items chunk by chunk, in order: the last of two texts for one key wins. A chunk is sent
 * before the one before it is answered, so that Redis and this process work at the same time.
 *
 * @param accepted Filled from the front, so that the caller knows what was accepted when this throws.
 */
export async function enqueue(
  stage: EnqueueStage,
  items: readonly EnqueueItem[],
  accepted: AcceptedText[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const chunks = chunksOf(items);
  let next = prepareNext(stage, items, chunks);
  let sent: SentChunk | undefined;
  let entries = 0;
  /** A chunk was sent again, so what was sent after it came before it. */
  let isBehind = false;
  const conclude = async (chunk: SentChunk | undefined): Promise<void> => {
    if (chunk === undefined) return;
    const done = await concludeSent(stage, chunk, isBehind);
    isBehind = done.isRepeated;
    entries += done.entries;
    await announceDone(stage, done.texts);
    for (const { key, version } of done.texts) accepted.push({ key, version });
  };
  try {
    for (let chunk = await next; chunk !== undefined; chunk = await next) {
      // The last chunk must know how many entries the others made.
      if (chunk.isLast || isBehind || signal?.aborted) {
        await conclude(sent);
        sent = undefined;
        isBehind = false;
        signal?.throwIfAborted();
      }
      next = prepareNext(stage, items, chunks);
      const before = sent;
      sent = send(stage, chunk, entries);
      await conclude(before);
    }
    await conclude(sent);
  } finally {
    await Promise.all([next, sent?.reply]);
  }
}

/** A chunk whose looks are known, or what went wrong on the way to them. */
interface NextChunk {
  readonly items: readonly EnqueueItem[];
  readonly isLast: boolean;
  readonly prepared: PreparedChunk | Error;
}

interface SentChunk extends NextChunk {
  readonly order: ChunkOrder;
  readonly reply: Promise<EnqueueReply | undefined | Error>;
}

/** Never fails: nobody may be there to hear of it yet. */
async function prepareNext(
  stage: EnqueueStage,
  all: readonly EnqueueItem[],
  chunks: Generator<{ from: number; to: number }>,
): Promise<NextChunk | undefined> {
  const { value: bounds } = chunks.next() as IteratorResult<
    { from: number; to: number },
    undefined
  >;
  if (bounds === undefined) return undefined;
  const items = all.slice(bounds.from, bounds.to);
  const prepared = await prepareChunk(stage, items, false).catch(asError);
  return { items, isLast: bounds.to === all.length, prepared };
}

function send(stage: EnqueueStage, chunk: NextChunk, earlierEntries: number): SentChunk {
  const { prepared, isLast } = chunk;
  const order = { earlierEntries, isLastChunk: isLast, isForced: false };
  const reply =
    prepared instanceof Error
      ? Promise.resolve(prepared)
      : // Repeated behind the next chunk it would put an older text after a newer one of the same key.
        sendChunk(stage, prepared, order, isLast).catch(asError);
  return { ...chunk, order, reply };
}

/** Takes a chunk that was sent to its end; where its one call was not enough, by calls of its own. */
async function concludeSent(
  stage: EnqueueStage,
  { items, isLast, prepared, order, reply: answer }: SentChunk,
  isBehind: boolean,
): Promise<ChunkResult & { readonly isRepeated: boolean }> {
  const reply = await answer;
  if (prepared instanceof Error) throw prepared;
  if (reply instanceof Error && isLast) throw reply;
  if (!(reply instanceof Error || reply === undefined || isBehind)) {
    const done = await concludeChunk(stage, prepared, reply, order);
    // What came later on the same keys was sent before what had to be enqueued after all.
    return { ...done, isRepeated: done.isForced };
  }
  return { ...(await acceptChunk(stage, items, order)), isRepeated: true };
}

/**
 * Accepts texts as if each had been enqueued when its version was reserved: what came for its key
 * since then is newer and stays. Only full batches become due by it, as more will follow.
 *
 * @returns How many of them had to be enqueued.
 */
export async function enqueueRead(
  stage: EnqueueStage,
  texts: readonly ReadText[],
): Promise<number> {
  let count = 0;
  for (const { from, to } of chunksOf(texts)) {
    const order = { earlierEntries: 0, isLastChunk: false, isForced: false };
    const done = await acceptChunk(stage, texts.slice(from, to), order);
    await announceDone(stage, done.texts);
    count += done.texts.filter(({ kind }) => kind !== "same" && kind !== "superseded").length;
  }
  return count;
}

function announceDone(stage: EnqueueStage, texts: readonly DecidedText[]): Promise<void> {
  const here = texts.filter(({ kind }) => kind !== "queued" && kind !== "same");
  return stage.announce(here.map(({ key }) => key));
}

/** Bounds of chunks that are small enough for one script call. */
function* chunksOf(items: readonly EnqueueItem[]): Generator<{ from: number; to: number }> {
  let from = 0;
  let bytes = 0;
  for (let at = 0; at < items.length; at++) {
    const text = items[at]?.text ?? "";
    const size = text.length <= SHORT_LENGTH ? text.length * 3 : utf8Length(text);
    const isFull = at - from === MAX_CHUNK_ITEMS || (at > from && bytes + size > MAX_CHUNK_BYTES);
    if (isFull) {
      yield { from, to: at };
      from = at;
      bytes = 0;
    }
    bytes += size;
  }
  if (from < items.length) yield { from, to: items.length };
}
