// Stage 1: texts become outstanding work. What needs no provider is done here and now: blank
// texts get their zero vector, unchanged ones only a new version.

import { sourceDigest } from "../model/digest.ts";
import { utf8Length } from "../model/embedder.ts";
import { EmbedqError } from "../model/errors.ts";
import type { EnqueueItem } from "../model/job.ts";
import { spaceTag, type VectorSpace } from "../model/settings.ts";
import { FLOAT_BYTES, zeroVectorBytes } from "../model/vector.ts";
import type { ReadText } from "../model/walk.ts";
import type { Link } from "../redis/link.ts";
import {
  type DestinationFields,
  type DestinationWrite,
  lookAtDestinations,
  writeDestinations,
} from "../redis/scripts/destination.ts";
import { type Accepted, type AcceptKind, runEnqueue } from "../redis/scripts/enqueue.ts";
import { runSettle } from "../redis/scripts/settle.ts";

/** Items in one script call: 7 to 10 µs an item, so that Redis is held for 2 to 3 ms. */
const MAX_CHUNK_ITEMS = 256;
/** Text in one script call, in bytes. A single longer text goes alone. */
const MAX_CHUNK_BYTES = 4 * 1024 * 1024;
/** How often settings that changed under way are read again before the call gives up. */
const MAX_SETTINGS_READS = 5;

export interface EnqueueStage {
  readonly link: Link;
  readonly onMissing: "create" | "skip";
  readonly skipsUnchanged: boolean;
  /** As they are known now; the space is undefined where nobody has named a model yet. */
  current(): { readonly space: VectorSpace | undefined; readonly fields: DestinationFields };
  /** Reads the settings again. Throws where they no longer agree with this process. */
  refresh(): Promise<void>;
  /** Nothing had to be enqueued for these keys: where nothing is outstanding either, their work is done. */
  announce(keys: readonly string[]): Promise<void>;
}

/** What a ticket holds. */
export interface AcceptedText {
  readonly key: string;
  readonly version: number;
}

/**
 * Accepts items chunk by chunk, in order: the last of two texts for one key wins.
 *
 * @param accepted Filled from the front, so that the caller knows what was accepted when this throws.
 */
export async function enqueue(
  stage: EnqueueStage,
  items: readonly EnqueueItem[],
  accepted: AcceptedText[],
  signal: AbortSignal | undefined,
): Promise<void> {
  let entries = 0;
  for (const { from, to } of chunksOf(items)) {
    signal?.throwIfAborted();
    const chunk = items.slice(from, to);
    const done = await acceptChunk(stage, chunk, {
      earlierEntries: entries,
      isLastChunk: to === items.length,
      isForced: false,
    });
    entries += done.entries;
    await announceDone(stage, done.texts);
    for (const { key, version } of done.texts) accepted.push({ key, version });
  }
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

interface ChunkOrder {
  readonly earlierEntries: number;
  readonly isLastChunk: boolean;
  /** Neither skip nor finish anything here: everything goes on the stream. */
  readonly isForced: boolean;
}

interface DecidedText extends AcceptedText {
  readonly kind: AcceptKind;
}

async function acceptChunk(
  stage: EnqueueStage,
  items: readonly (EnqueueItem & { readonly reserved?: number })[],
  order: ChunkOrder,
): Promise<{ entries: number; texts: DecidedText[] }> {
  for (let reads = 0; reads < MAX_SETTINGS_READS; reads++) {
    const { space, fields } = stage.current();
    const prepared = items.map(({ key, text }) => {
      const isBlank = text.trim() === "";
      const looks = stage.skipsUnchanged && !order.isForced && !isBlank && space !== undefined;
      return { key, text: isBlank ? "" : text, digest: looks ? sourceDigest(space, text) : "" };
    });
    // Destinations first: the version found here is the floor of the one that is given.
    const bytes = (space?.dimensions ?? 0) * FLOAT_BYTES;
    const looks = await lookAtDestinations(stage.link, fields, bytes, prepared);
    const reply = await runEnqueue(stage.link, {
      space: spaceTag(space),
      earlierEntries: order.earlierEntries,
      isLastChunk: order.isLastChunk,
      queueBlanks: space === undefined || order.isForced,
      items: prepared.map(({ key, text }, i) => ({
        key,
        text,
        floor: looks[i]?.storedVersion ?? 0,
        unchanged: looks[i]?.isUnchanged ?? false,
        reserved: items[i]?.reserved,
      })),
    });
    if (reply === undefined) {
      await stage.refresh();
      continue;
    }
    const texts = reply.accepted.map(({ kind, version }, i) => {
      return { key: items[i]?.key ?? "", version, kind };
    });
    if (space === undefined) return { entries: reply.entries, texts };
    const undone = await finishHere(stage, space, prepared, reply.accepted);
    let entries = reply.entries;
    if (undone.length > 0) {
      const again = await acceptChunk(
        stage,
        undone.map((i) => items[i] as EnqueueItem),
        {
          ...order,
          earlierEntries: order.earlierEntries + entries,
          isForced: true,
        },
      );
      entries += again.entries;
      undone.forEach((i, n) => {
        texts[i] = again.texts[n] as DecidedText;
      });
    }
    return { entries, texts };
  }
  throw new EmbedqError(
    "ERR_SETTINGS_CONFLICT",
    `Cannot enqueue as the queue's settings changed ${MAX_SETTINGS_READS} times meanwhile`,
  );
}

/**
 * Writes what needs no provider, then settles what stood on the stream for it.
 *
 * @returns The places of items that have to go on the stream after all.
 */
async function finishHere(
  stage: EnqueueStage,
  space: VectorSpace,
  items: readonly { readonly key: string; readonly digest: string }[],
  accepted: readonly Accepted[],
): Promise<number[]> {
  const vectorBytes = space.dimensions * FLOAT_BYTES;
  const places: number[] = [];
  const writes: DestinationWrite[] = [];
  accepted.forEach(({ kind, version }, i) => {
    if (kind === "queued" || kind === "same" || kind === "superseded") return;
    const { key, digest } = items[i] as (typeof items)[number];
    places.push(i);
    writes.push(
      kind === "touch"
        ? { key, op: "touch", version, vector: new Uint8Array(), vectorBytes, digest }
        : { key, op: "blank", version, vector: zeroVectorBytes(space.dimensions), digest: "" },
    );
  });
  if (writes.length === 0) return [];
  const { fields } = stage.current();
  const results = await writeDestinations(stage.link, fields, stage.onMissing, writes);

  const settled: { key: string; entryId: string; version: number }[] = [];
  const undone: number[] = [];
  results.forEach((result, n) => {
    const i = places[n] as number;
    const { kind, version, entryId } = accepted[i] as Accepted;
    const key = items[i]?.key ?? "";
    const isWritten =
      result === "ok" || result === "same" || result === "newer" || result === "missing";
    if (kind === "blankQueued") {
      // What could not be written stays on the stream: a worker goes on with it.
      if (isWritten) settled.push({ key, entryId, version });
      return;
    }
    // Not over a later item of this call for the same key, which is newer.
    const isLast = items.findLastIndex((item) => item.key === key) === i;
    if (!(isWritten && !(kind === "touch" && result === "missing")) && isLast) undone.push(i);
  });
  // Refused where the model changed meanwhile: the entries stay, and a worker finishes them.
  if (settled.length > 0) await runSettle(stage.link, spaceTag(space), settled);
  return undone;
}

/** Bounds of chunks that are small enough for one script call. */
function* chunksOf(items: readonly EnqueueItem[]): Generator<{ from: number; to: number }> {
  let from = 0;
  let bytes = 0;
  for (let at = 0; at < items.length; at++) {
    const size = utf8Length(items[at]?.text ?? "");
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
