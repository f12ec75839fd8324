// Stage 3: claimed jobs become provider calls. Pure: no clock, no Redis, no provider.

import type { Batch, Slot } from "../model/batch.ts";
import { type EmbedderLimits, estimateTokensOf, utf8Length } from "../model/embedder.ts";
import { groupBy } from "../model/groups.ts";
import type { Job } from "../model/job.ts";
import { cutToPieces, cutToStart, type OversizePolicy, type Room } from "../model/oversize.ts";
import { type Piece, Whole } from "../model/whole.ts";

/** Texts a call where the embedder states no limit: that of the system that embedq replaces. */
const DEFAULT_MAX_ITEMS = 50;

/**
 * The share of a call's tokens that stays free where they are estimated: what the provider counts
 * may differ by its roundings and by what it adds to each text.
 */
const ESTIMATE_MARGIN = 0.01;

/**
 * Up to this many times the limit of one text, an estimate does not decide: such a text goes to the
 * provider, alone. English prose has 4 to 5 bytes a token, indented code up to 8.
 */
const DOUBTFUL_UP_TO = 2;

/** From this share of a limit on, waiting for more would not make a batch notably fuller. */
const FULL_SHARE = 0.95;

/** The most texts in one call. */
export function maxItemsOf(limits: EmbedderLimits): number {
  return limits.maxItems ?? DEFAULT_MAX_ITEMS;
}

/** The most tokens in one call, with a margin where they are estimated. */
export function maxTokensOf({ maxTokens, countTokens }: EmbedderLimits): number {
  if (maxTokens === undefined) return Number.POSITIVE_INFINITY;
  return countTokens === undefined
    ? Math.max(1, Math.floor(maxTokens * (1 - ESTIMATE_MARGIN)))
    : maxTokens;
}

/** How much of a call these slots fill, by the measure that is fullest: 1 is a full call, more is too much. */
export function fillOf(slots: readonly Slot[], limits: EmbedderLimits): number {
  let tokens = 0;
  let bytes = 0;
  for (const slot of slots) {
    tokens += slot.tokens;
    bytes += slot.bytes;
  }
  return Math.max(
    slots.length / maxItemsOf(limits),
    tokens / maxTokensOf(limits),
    bytes / (limits.maxBytes ?? Number.POSITIVE_INFINITY),
  );
}

/** What becomes of claimed jobs. */
export interface Plan {
  readonly batches: readonly Batch[];
  /** Jobs whose text is longer than the embedder takes, with the reason. */
  readonly oversized: readonly { readonly job: Job; readonly reason: string }[];
}

interface OpenSlot extends Slot {
  readonly jobs: Job[];
  readonly pieces: Piece[];
}

interface OpenBatch {
  readonly slots: OpenSlot[];
  tokens: number;
  bytes: number;
}

/**
 * Puts jobs into as few batches as the limits allow, first fit in order: a text too long for what
 * is left of one batch opens another and does not hold up the short ones behind it. Equal texts
 * share one slot. What is longer than the embedder takes is dealt with by the policy.
 *
 * @param stated What the embedder says of itself. Limits that are lower for another reason concern
 *   calls of several texts: a text that is longer than these goes alone.
 */
export function formBatches(
  jobs: readonly Job[],
  limits: EmbedderLimits,
  onOversize: OversizePolicy = "reject",
  stated: EmbedderLimits = limits,
): Plan {
  const packer = new Packer(limits);
  const oversized: { job: Job; reason: string }[] = [];
  const room = roomOf(stated);
  for (const [text, sharing] of groupBy(jobs, ({ text }) => text)) {
    const size = room.sizeOf(text);
    const excess = Math.max(size.tokens / room.tokens, size.bytes / room.bytes);
    const isDoubtful =
      onOversize === "reject" &&
      stated.countTokens === undefined &&
      size.bytes <= room.bytes &&
      size.tokens <= DOUBTFUL_UP_TO * (stated.maxInputTokens ?? 0) &&
      size.tokens <= maxTokensOf(stated);
    if (excess <= 1) packer.put(text, size, sharing, undefined);
    else if (isDoubtful) packer.putAlone(text, size, sharing);
    else if (onOversize === "truncate") {
      const start = cutToStart(text, room);
      packer.put(start, room.sizeOf(start), sharing, undefined);
    } else if (onOversize === "split-and-average") {
      const pieces = cutToPieces(text, room);
      const sizes = pieces.map((piece) => room.sizeOf(piece));
      const whole = new Whole(
        { jobs: sharing, pieces: [] },
        sizes.map(({ tokens }) => tokens),
      );
      pieces.forEach((piece, at) => {
        packer.put(piece, sizes[at] ?? room.sizeOf(piece), [], { whole, at });
      });
    } else {
      const reason = oversizeReason(size, room, stated);
      oversized.push(...sharing.map((job) => ({ job, reason })));
    }
  }
  return { batches: packer.batches, oversized };
}

/**
 * A slot whose text the provider found too long, although its limit is not known or the estimate was
 * too low: cut in halves, or to its first half. Nothing where the policy is not to cut.
 */
export function cutInHalf(slot: Slot, onOversize: OversizePolicy): readonly Slot[] {
  const bytes = Math.floor(slot.bytes / 2);
  const sizeOf = (text: string) => ({
    tokens: Math.ceil((slot.tokens * utf8Length(text)) / slot.bytes),
    bytes: utf8Length(text),
  });
  const room = { tokens: Number.POSITIVE_INFINITY, bytes, sizeOf };
  if (onOversize === "reject" || slot.bytes < 2) return [];
  if (onOversize === "truncate") {
    const text = cutToStart(slot.text, room);
    return text === slot.text ? [] : [{ ...slot, ...sizeOf(text), text }];
  }
  const texts = cutToPieces(slot.text, room);
  if (texts.length < 2) return [];
  const whole = new Whole(
    slot,
    texts.map((text) => sizeOf(text).tokens),
  );
  const pieces = texts.map((text, at) => ({ text, piece: { whole, at } }));
  return [...groupBy(pieces, ({ text }) => text)].map(([text, equal]) => ({
    ...sizeOf(text),
    text,
    jobs: [],
    pieces: equal.map(({ piece }) => piece),
  }));
}

/** The batch to hold back until more is claimed: the last of several, where it is not yet full. */
export function remainderOf(batches: readonly Batch[], limits: EmbedderLimits): Batch | undefined {
  const last = batches.length > 1 ? batches.at(-1) : undefined;
  if (last === undefined || fillOf(last.slots, limits) >= FULL_SHARE) return undefined;
  // A text in pieces is in other batches too.
  return last.slots.every(({ pieces }) => pieces.length === 0) ? last : undefined;
}

/** First fit. */
class Packer {
  readonly #limits: EmbedderLimits;
  readonly #open: OpenBatch[] = [];
  readonly #alone: OpenBatch[] = [];
  readonly #slots = new Map<string, OpenSlot>();
  /** Batches before this one are full: nothing more fits. */
  #firstOpen = 0;

  constructor(limits: EmbedderLimits) {
    this.#limits = limits;
  }

  /** Those with a text alone first: the last batch is one that may be filled up later. */
  get batches(): readonly Batch[] {
    return [...this.#alone, ...this.#open];
  }

  put(text: string, size: Size, jobs: readonly Job[], piece: Piece | undefined): void {
    let slot = this.#slots.get(text);
    if (slot === undefined) {
      slot = { text, ...size, jobs: [], pieces: [] };
      this.#slots.set(text, slot);
      const batch = this.#batchFor(size);
      batch.slots.push(slot);
      batch.tokens += size.tokens;
      batch.bytes += size.bytes;
    }
    slot.jobs.push(...jobs);
    if (piece !== undefined) slot.pieces.push(piece);
  }

  putAlone(text: string, size: Size, jobs: readonly Job[]): void {
    const slot = { text, ...size, jobs: [...jobs], pieces: [] };
    this.#alone.push({ slots: [slot], ...size });
  }

  #batchFor({ tokens, bytes }: Size): OpenBatch {
    const maxItems = maxItemsOf(this.#limits);
    const maxTokens = maxTokensOf(this.#limits);
    const maxBytes = this.#limits.maxBytes ?? Number.POSITIVE_INFINITY;
    const open = this.#open;
    while ((open[this.#firstOpen]?.slots.length ?? 0) >= maxItems) this.#firstOpen++;
    for (let at = this.#firstOpen; at < open.length; at++) {
      const batch = open[at] as OpenBatch;
      const fits =
        batch.slots.length < maxItems &&
        batch.tokens + tokens <= maxTokens &&
        batch.bytes + bytes <= maxBytes;
      if (fits) return batch;
    }
    const batch: OpenBatch = { slots: [], tokens: 0, bytes: 0 };
    open.push(batch);
    return batch;
  }
}

interface Size {
  readonly tokens: number;
  readonly bytes: number;
}

/** What one text may have at most: its own limit, and never more than a whole call. */
function roomOf(limits: EmbedderLimits): Room {
  const { countTokens } = limits;
  return {
    tokens: Math.min(limits.maxInputTokens ?? Number.POSITIVE_INFINITY, maxTokensOf(limits)),
    bytes: limits.maxBytes ?? Number.POSITIVE_INFINITY,
    sizeOf: (text) => {
      const bytes = utf8Length(text);
      const estimate = estimateTokensOf(bytes);
      return { tokens: countTokens ? countSafely(text, countTokens, estimate) : estimate, bytes };
    },
  };
}

/** A counter of the user's may fail on a text that the provider takes; it must not hold up the others. */
function countSafely(
  text: string,
  countTokens: (text: string) => number,
  estimate: number,
): number {
  try {
    const tokens = countTokens(text);
    return Number.isFinite(tokens) && tokens >= 0 ? tokens : estimate;
  } catch {
    return estimate;
  }
}

function oversizeReason({ tokens, bytes }: Size, room: Room, limits: EmbedderLimits): string {
  if (bytes > room.bytes) {
    return `its text of ${bytes} bytes is longer than the ${room.bytes} bytes that a call may carry (see onOversize)`;
  }
  const counted = limits.countTokens === undefined ? "about " : "";
  return `its text of ${counted}${tokens} tokens is longer than the ${room.tokens} tokens that the model takes (see onOversize)`;
}
