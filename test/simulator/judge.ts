// The verdict when all work is done: nothing accepted is lost, the newest text won, every wait
// ended with the truth, no innocent text is dead, and the queue's keys are empty.

import type { DeadLetter } from "../../src/model/outcome.ts";
import { type GivenText, isCertainlyAfter, nameOf } from "./ledger.ts";
import type { Destination, Snapshot } from "./snapshot.ts";
import { digestOf, fatesOf, mayDie } from "./texts.ts";
import { lookAfter } from "./waiter.ts";
import type { World } from "./world.ts";

/** Processes that one text may take down: twice among others, twice alone. */
const MAX_DEATHS = 4;
/** Reasons of letters about data that embedq did not write. */
const FOREIGN_REASONS = ["malformed", "damaged", "wrong type"];

export async function judge(
  world: World,
  snapshot: Snapshot,
  letters: readonly DeadLetter[],
): Promise<void> {
  const verdict = new Verdict(world, snapshot);
  verdict.judgeLeftovers();
  await verdict.judgeWaits();
  verdict.judgeLetters(letters);
  for (const key of world.plan.keys) verdict.judgeDestination(key, letters);
}

class Verdict {
  readonly #world: World;
  readonly #snapshot: Snapshot;

  constructor(world: World, snapshot: Snapshot) {
    this.#world = world;
    this.#snapshot = snapshot;
  }

  judgeLeftovers(): void {
    const { entries, dedup, retries, pending } = this.#snapshot;
    if (entries.size + dedup.size + retries.length + pending.size === 0) return;
    this.#report(
      "leak",
      `${entries.size} entries, ${dedup.size} in dedup, ${retries.length} in retries, ${pending.size} pending`,
    );
  }

  async judgeWaits(): Promise<void> {
    const { ledger, link } = this.#world;
    for (const wait of ledger.waits) {
      const { given } = wait;
      const name = `${given.key}=${given.text}@${given.version}`;
      if (wait.outcome === undefined) await lookAfter(this.#world, link, wait);
      const { outcome } = wait;
      if (outcome === undefined) this.#report("hung", name);
      else if (outcome === "superseded") {
        const hasNewer = ledger.texts.some(
          ({ key, version }) =>
            key === given.key && (version === undefined || version > (given.version ?? 0)),
        );
        if (!hasNewer && this.#mustKeep(given)) this.#report("wrongOutcome", `${name} superseded`);
      } else if (outcome === "gone") {
        const isKept = this.#mustKeep(given) && this.#isWritable(given.key);
        if (isKept) this.#report("falseGone", name);
      } else if (!fatesOf(given.text).some((fate) => fate === outcome)) {
        this.#report("wrongOutcome", `${name} ${outcome}`);
      }
    }
  }

  judgeLetters(letters: readonly DeadLetter[]): void {
    const { ledger } = this.#world;
    const seen = new Set<string>();
    for (const { key = "", text = "", version = 0, reason } of letters) {
      const isForeign = ledger.damage !== undefined && FOREIGN_REASONS.includes(reason);
      if (isForeign) continue;
      const name = nameOf(key, version);
      if (!mayDie(text)) this.#report("innocentDead", `${name} ${text}: ${reason}`);
      if (seen.has(name)) this.#report("doubleLetter", name);
      seen.add(name);
    }
    for (const [name, deaths] of ledger.deaths) {
      if (deaths > MAX_DEATHS && ledger.damage === undefined) {
        this.#report("unbounded", `${name} took ${deaths} processes down`);
      }
    }
  }

  judgeDestination(key: string, letters: readonly DeadLetter[]): void {
    const { ledger } = this.#world;
    const destination = this.#snapshot.destinations.get(key);
    if (destination === undefined || !this.#isWritable(key)) return;
    const kept = ledger.kept(key).filter((given) => this.#mustKeep(given));
    for (const { text, version } of kept) {
      if (destination.version < (version ?? 0)) {
        const found = `${destination.status}@${destination.version}`;
        this.#report("lost", `${key}=${text}@${version}, destination has ${found}`);
      }
    }
    const sources = ledger.texts.filter((given) => given.key === key && fits(given, destination));
    const isNewest = sources.some(
      (source) =>
        !kept.some((given) => given.text !== source.text && isCertainlyAfter(given, source)),
    );
    if (kept.length > 0 && !isNewest) {
      this.#report("stale", `${key}: ${destination.status} ${destination.vector}`);
    }
    this.#judgeDeath(key, destination, letters);
  }

  /** Who is marked dead has a letter, unless somebody took it. */
  #judgeDeath(key: string, { status, version }: Destination, letters: readonly DeadLetter[]): void {
    const { ledger } = this.#world;
    if (status !== "dead" || ledger.damage !== undefined) return;
    if (ledger.touchedLetters.has(nameOf(key, version))) return;
    if (ledger.cancels.some((cancel) => cancel.key === key)) return;
    if (!letters.some((letter) => letter.key === key && letter.version === version)) {
      this.#report("deadWithoutLetter", nameOf(key, version));
    }
  }

  /** False where a foreign hand or a cancel may have taken the text away. */
  #mustKeep(given: GivenText): boolean {
    const { ledger } = this.#world;
    if (ledger.mayBeCancelled(given)) return false;
    if (ledger.damage === undefined || !ledger.damage.losesData) return true;
    return given.startedAt > (ledger.damage.endedAt ?? Number.POSITIVE_INFINITY);
  }

  /** False where texts end without a result: skipped as missing, or a key of another type. */
  #isWritable(key: string): boolean {
    const { plan, ledger } = this.#world;
    const { exists = false, status } = this.#snapshot.destinations.get(key) ?? {};
    if (!exists) return plan.onMissing === "create";
    return ledger.damage?.kind !== "wrongType" || status !== "";
  }

  #report(kind: string, detail: string): void {
    this.#world.ledger.report(kind, detail);
  }
}

/** Whether the destination's content can come from this text. */
function fits({ text }: GivenText, { status, digest }: Destination): boolean {
  if (status === "embedded") return digest === digestOf(text);
  if (status === "dead") return mayDie(text);
  return status === "blank" && text === "";
}
