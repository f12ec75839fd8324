// Walks over hashes that are in Redis already and hands on the texts that need an embedding, page by
// page. Holds one page at a time and no list of what it has met: SCAN's cursor is all it knows.

import { firstLook, isCurrent } from "../model/candidate.ts";
import { markOf } from "../model/digest.ts";
import { EmbedqError } from "../model/errors.ts";
import type { Wakeup } from "../model/lifecycle.ts";
import { spaceTag, type VectorSpace } from "../model/settings.ts";
import {
  checkModel,
  type ReadText,
  WalkError,
  type WalkKind,
  type WalkPlan,
  type WalkProgress,
  type WalkResult,
} from "../model/walk.ts";
import type { Link } from "../redis/link.ts";
import { countKeys, type ReadHash, readHashes, scanHashes, serverName } from "../redis/scan.ts";
import type { DestinationFields } from "../redis/scripts/destination.ts";
import { type Reservation, runReserve } from "../redis/scripts/reserve.ts";
import { runFlush } from "../redis/scripts/state.ts";

/** How often the queue is asked for room although no ring was heard. */
const RECHECK_MS = 500;
/** A proxy that spreads commands over several servers would make a walk begin again for ever. */
const MAX_RESTARTS = 10;
/** The cursor of a walk that has not begun: its mark is nobody's. */
const START = `0-${"0".repeat(16)}`;
/** A stored version further ahead than this is damage, and counts as none. */
const DAY_US = 86_400_000_000;

export interface WalkStage {
  readonly link: Link;
  /** As they are known now. */
  current(): {
    readonly space: VectorSpace | undefined;
    readonly fields: DestinationFields;
    readonly maxBatchSize: number;
  };
  /** Enqueues texts as of the version that was reserved for each; returns how many were new. */
  enqueue(texts: readonly ReadText[]): Promise<number>;
  /** Rung when there may be room. */
  readonly wakeup: Wakeup;
  /** Raised when the queue object stops. */
  readonly stopSignal: AbortSignal;
}

/** One walk, from its start or its cursor on. */
export class Walk {
  readonly #stage: WalkStage;
  readonly #kind: WalkKind;
  readonly #plan: WalkPlan;
  /** Either signal: the walk ends, in order or with the stop. */
  readonly #signal: AbortSignal;
  /** Where SCAN goes on, and what that holds for: this server, this model, these keys. */
  #scan = "0";
  #mark = "";
  #total = 0;
  #scanned = 0;
  #enqueued = 0;
  #unchanged = 0;
  #skipped = 0;
  #restarts = 0;

  constructor(stage: WalkStage, kind: WalkKind, plan: WalkPlan) {
    this.#stage = stage;
    this.#kind = kind;
    this.#plan = plan;
    const { stopSignal } = stage;
    this.#signal = plan.signal ? AbortSignal.any([plan.signal, stopSignal]) : stopSignal;
  }

  /** @throws {WalkError} With the cursor of the page that failed. */
  async run(): Promise<WalkResult> {
    const { stopSignal, wakeup } = this.#stage;
    const onAbort = () => wakeup.ring();
    this.#signal.addEventListener("abort", onAbort, { once: true });
    try {
      const done = await this.#walk();
      return { ...this.#progress(), done };
    } catch (error) {
      // A stop cuts the connection under a command: the stop is the reason.
      throw new WalkError(
        this.#kind,
        this.#progress(),
        stopSignal.aborted ? stopSignal.reason : error,
      );
    } finally {
      this.#signal.removeEventListener("abort", onAbort);
    }
  }

  /** True when every key was met, false where the caller's signal ended it. */
  async #walk(): Promise<boolean> {
    await this.#begin();
    for (;;) {
      const next = await this.#page();
      if (next === undefined) return false;
      // Asked after the page: so its cursor is this server's, and its texts were compared with this model.
      const mark = await this.#currentMark();
      const isLast = next === "0" && mark === this.#mark;
      if (isLast) await this.#flushRest();
      if (mark === this.#mark) this.#scan = next;
      else this.#startAgain(mark);
      await this.#plan.onProgress?.(this.#progress());
      if (isLast) return true;
    }
  }

  async #begin(): Promise<void> {
    const { link } = this.#stage;
    const mark = await this.#currentMark();
    const [scan = "0", earlier = ""] = this.#plan.cursor?.split("-") ?? [];
    this.#total = await countKeys(link);
    this.#mark = mark;
    if (earlier === mark) this.#scan = scan;
    else if (scan !== "0") this.#restarts++;
  }

  #startAgain(mark: string): void {
    if (++this.#restarts > MAX_RESTARTS) {
      throw new EmbedqError(
        "ERR_REDIS_REPLY",
        `Cannot walk over the keys as one server and one model must stay: they changed ${this.#restarts} times`,
      );
    }
    this.#mark = mark;
    this.#scan = "0";
    this.#scanned = 0;
  }

  /** One step of SCAN and all that it brings; the next cursor, or undefined where the walk ends before. */
  async #page(): Promise<string | undefined> {
    const { match, pageSize } = this.#plan;
    if (this.#isOver()) return undefined;
    const { keys, unreadable, next } = await scanHashes(
      this.#stage.link,
      this.#scan,
      match,
      pageSize,
    );
    if (keys.length > 0) {
      const reservation = await this.#room();
      if (reservation === undefined) return undefined;
      await this.#take(keys, reservation);
    }
    this.#skipped += unreadable;
    this.#scanned = Math.min(this.#scanned + pageSize, this.#total);
    return next;
  }

  /** Waits until the queue has room, and reserves the version of what is read from now on. */
  async #room(): Promise<Reservation | undefined> {
    const { link, wakeup } = this.#stage;
    const { maxPending } = this.#plan;
    for (;;) {
      if (this.#isOver()) return undefined;
      const reservation = await runReserve(link);
      if (reservation.outstanding < maxPending) return reservation;
      // Less than a batch would wait for the timer of the queue, and the walk with it.
      if (maxPending < this.#stage.current().maxBatchSize) await runFlush(link);
      await wakeup.wait(RECHECK_MS);
    }
  }

  /** Reads a page of hashes and enqueues the texts that are due. */
  async #take(keys: readonly string[], { version }: Reservation): Promise<void> {
    const { link } = this.#stage;
    const { textField, includeDead } = this.#plan;
    const { space, fields } = this.#stage.current();
    checkModel(this.#kind, space);
    const hashes = await readHashes(link, fields, textField, keys);
    const asked: { key: string; hash: ReadHash }[] = [];
    let unchanged = 0;
    hashes.forEach((hash, i) => {
      const look = hash ? firstLook(this.#kind, hash, space, includeDead) : "skip";
      if (look === "unchanged") unchanged++;
      if (hash !== undefined && look === "ask") asked.push({ key: keys[i] ?? "", hash });
    });
    const texts = await this.#textsOf(asked);
    const due: ReadText[] = [];
    asked.forEach(({ key, hash }, i) => {
      const text = texts[i] ?? undefined;
      if (text === undefined) return;
      if (this.#kind === "reembed" && isCurrent(hash, text, space)) unchanged++;
      else due.push({ key, text, reserved: Math.max(version, storedVersion(hash, version) + 1) });
    });
    const enqueued = due.length === 0 ? 0 : await this.#stage.enqueue(due);
    this.#enqueued += enqueued;
    this.#unchanged += unchanged + due.length - enqueued;
    this.#skipped += keys.length - unchanged - due.length;
  }

  async #textsOf(
    asked: readonly { readonly key: string; readonly hash: ReadHash }[],
  ): Promise<readonly (string | null | undefined)[]> {
    const { textOf } = this.#plan;
    if (textOf === undefined) return asked.map(({ hash }) => hash.text);
    if (asked.length === 0) return [];
    const texts: unknown = await textOf(asked.map(({ key }) => key));
    if (!Array.isArray(texts) || texts.length !== asked.length) {
      const found = Array.isArray(texts) ? `a list of ${texts.length}` : typeof texts;
      throw badTexts(`a list of ${asked.length} texts`, found);
    }
    texts.forEach((text: unknown, i) => {
      const isText = typeof text === "string" && text.isWellFormed();
      if (isText || text === undefined || text === null) return;
      const name = JSON.stringify(asked[i]?.key);
      throw badTexts("strings without lone surrogates", `of type ${typeof text} for ${name}`);
    });
    return texts;
  }

  /** What was enqueued is one work: its last batch, which is not full, does not wait for the timer. */
  async #flushRest(): Promise<void> {
    const { link } = this.#stage;
    if (this.#enqueued >= this.#stage.current().maxBatchSize) await runFlush(link);
  }

  /** What a cursor holds for. */
  async #currentMark(): Promise<string> {
    const server = await serverName(this.#stage.link);
    const { space, fields } = this.#stage.current();
    const model = this.#kind === "reembed" ? spaceTag(space) : "";
    return markOf([server, this.#kind, this.#plan.match, fields.embedding, model]);
  }

  #isOver(): boolean {
    this.#stage.stopSignal.throwIfAborted();
    return this.#plan.signal?.aborted ?? false;
  }

  #progress(): WalkProgress {
    const [enqueued, unchanged, skipped] = [this.#enqueued, this.#unchanged, this.#skipped];
    return {
      cursor: this.#mark === "" ? (this.#plan.cursor ?? START) : `${this.#scan}-${this.#mark}`,
      scanned: this.#scanned,
      total: this.#total,
      matched: enqueued + unchanged + skipped,
      enqueued,
      unchanged,
      skipped,
      restarts: this.#restarts,
    };
  }
}

/** The version that a hash holds; 0 where there is none, or a damaged one. */
function storedVersion({ version = "" }: ReadHash, now: number): number {
  const stored = /^\d+$/.test(version) ? Number(version) : 0;
  return stored > now + DAY_US ? 0 : stored;
}

function badTexts(wanted: string, found: string): EmbedqError {
  return new EmbedqError(
    "ERR_INPUT_INVALID",
    `Cannot use what \`textOf\` returned as it must be ${wanted}: it is ${found}`,
  );
}
