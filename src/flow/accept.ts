// One chunk's way into the queue: what its destinations hold is looked up, a script decides, and what
// needs no provider is written here.

import { sourceDigest } from "../model/digest.ts";
import { EmbedqError } from "../model/errors.ts";
import type { EnqueueItem } from "../model/job.ts";
import { spaceTag, type VectorSpace } from "../model/settings.ts";
import { FLOAT_BYTES, zeroVectorBytes } from "../model/vector.ts";
import type { Link } from "../redis/link.ts";
import {
  type DestinationFields,
  type DestinationWrite,
  type Look,
  lookAtDestinations,
  writeDestinations,
} from "../redis/scripts/destination.ts";
import {
  type Accepted,
  type AcceptKind,
  type EnqueueReply,
  runEnqueue,
} from "../redis/scripts/enqueue.ts";
import { runSettle } from "../redis/scripts/settle.ts";

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

export interface ChunkOrder {
  /** Entries that earlier chunks of the same call made. */
  readonly earlierEntries: number;
  readonly isLastChunk: boolean;
  /** Neither skip nor finish anything here: everything goes on the stream. */
  readonly isForced: boolean;
}

/** A text, and the version that was reserved for it, if any. */
export type ChunkItem = EnqueueItem & { readonly reserved?: number };

export interface DecidedText extends AcceptedText {
  readonly kind: AcceptKind;
}

/** What became of a chunk. */
export interface ChunkResult {
  readonly entries: number;
  readonly texts: DecidedText[];
}

/** A chunk of which is known what its destinations hold. */
export interface PreparedChunk {
  readonly items: readonly ChunkItem[];
  readonly space: VectorSpace | undefined;
  readonly fields: DestinationFields;
  /** As they are enqueued: what is blank after trimming is empty. */
  readonly texts: readonly string[];
  readonly digests: readonly string[];
  readonly looks: readonly Look[];
}

/** Takes a chunk to its end. */
export async function acceptChunk(
  stage: EnqueueStage,
  items: readonly ChunkItem[],
  order: ChunkOrder,
): Promise<ChunkResult> {
  for (let reads = 0; reads < MAX_SETTINGS_READS; reads++) {
    const chunk = await prepareChunk(stage, items, order.isForced);
    const reply = await sendChunk(stage, chunk, order, true);
    if (reply !== undefined) return concludeChunk(stage, chunk, reply, order);
    await stage.refresh();
  }
  throw new EmbedqError(
    "ERR_SETTINGS_CONFLICT",
    `Cannot enqueue as the queue's settings changed ${MAX_SETTINGS_READS} times meanwhile`,
  );
}

/** Destinations come first: the version found here is the floor of the one that is given. */
export async function prepareChunk(
  stage: EnqueueStage,
  items: readonly ChunkItem[],
  isForced: boolean,
): Promise<PreparedChunk> {
  const { space, fields } = stage.current();
  const looks = stage.skipsUnchanged && !isForced && space !== undefined;
  const texts = items.map(({ text }) => (text.trim() === "" ? "" : text));
  const digests = texts.map((text) => (looks && text !== "" ? sourceDigest(space, text) : ""));
  const bytes = (space?.dimensions ?? 0) * FLOAT_BYTES;
  const asked = items.map(({ key }, i) => ({ key, digest: digests[i] ?? "" }));
  const found = await lookAtDestinations(stage.link, fields, bytes, asked);
  return { items, space, fields, texts, digests, looks: found };
}

/** The script decides; undefined where the settings must be read again first. */
export function sendChunk(
  stage: EnqueueStage,
  { items, space, texts, looks }: PreparedChunk,
  order: ChunkOrder,
  repeats: boolean,
): Promise<EnqueueReply | undefined> {
  const request = {
    space: spaceTag(space),
    earlierEntries: order.earlierEntries,
    isLastChunk: order.isLastChunk,
    queueBlanks: space === undefined || order.isForced,
    items: items.map(({ key, reserved }, i) => ({
      key,
      text: texts[i] ?? "",
      floor: looks[i]?.storedVersion ?? 0,
      unchanged: looks[i]?.isUnchanged ?? false,
      reserved,
    })),
  };
  return runEnqueue(stage.link, request, repeats);
}

/** Does what needs no provider. What turns out to need one after all goes on the stream. */
export async function concludeChunk(
  stage: EnqueueStage,
  chunk: PreparedChunk,
  reply: EnqueueReply,
  order: ChunkOrder,
): Promise<ChunkResult & { readonly isForced: boolean }> {
  const { items } = chunk;
  const texts = reply.accepted.map(({ kind, version }, i) => {
    return { key: items[i]?.key ?? "", version, kind };
  });
  const undone = await finishHere(stage, chunk, reply.accepted);
  let entries = reply.entries;
  if (undone.length > 0) {
    const left = undone.map((i) => items[i] as ChunkItem);
    const earlierEntries = order.earlierEntries + entries;
    const forced = await acceptChunk(stage, left, { ...order, earlierEntries, isForced: true });
    entries += forced.entries;
    undone.forEach((i, n) => {
      texts[i] = forced.texts[n] as DecidedText;
    });
  }
  return { entries, texts, isForced: undone.length > 0 };
}

/**
 * Writes what needs no provider, then settles what stood on the stream for it.
 *
 * @returns The places of items that have to go on the stream after all.
 */
async function finishHere(
  stage: EnqueueStage,
  { items, space, digests, fields }: PreparedChunk,
  accepted: readonly Accepted[],
): Promise<number[]> {
  if (space === undefined) return [];
  const vectorBytes = space.dimensions * FLOAT_BYTES;
  const places: number[] = [];
  const writes: DestinationWrite[] = [];
  accepted.forEach(({ kind, version }, i) => {
    if (kind === "queued" || kind === "same" || kind === "superseded") return;
    const { key } = items[i] as ChunkItem;
    const digest = digests[i] ?? "";
    places.push(i);
    writes.push(
      kind === "touch"
        ? { key, op: "touch", version, vector: new Uint8Array(), vectorBytes, digest }
        : { key, op: "blank", version, vector: zeroVectorBytes(space.dimensions), digest: "" },
    );
  });
  if (writes.length === 0) return [];
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
