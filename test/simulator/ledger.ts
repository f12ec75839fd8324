// What the schedule knows and no process does: which texts were given to the queue when, what was
// accepted, cancelled and waited for, and all that went wrong.

/** One text given to the queue. Times are ticks of the ledger: each event has its own. */
export interface GivenText {
  readonly key: string;
  readonly text: string;
  readonly startedAt: number;
  /** The enqueue call that it belongs to, and its place there: the last of two for one key wins. */
  readonly call: number;
  readonly place: number;
  /** When enqueue returned; undefined where it never did, or did not say the version. */
  endedAt: number | undefined;
  version: number | undefined;
}

/** One wait for a text, from another process. */
export interface Wait {
  readonly given: GivenText;
  /** `superseded` by a newer text; undefined while it goes on. */
  outcome: string | undefined;
}

export interface Cancel {
  readonly key: string;
  endedAt: number | undefined;
}

export interface Violation {
  /** One word, by which violations are counted. */
  readonly kind: string;
  readonly detail: string;
}

export class Ledger {
  readonly texts: GivenText[] = [];
  readonly waits: Wait[] = [];
  readonly cancels: Cancel[] = [];
  readonly violations: Violation[] = [];
  /** How often what happened: shows what the schedules reach. */
  readonly figures = new Map<string, number>();
  /** Processes that died of a text, by its {@link nameOf}. */
  readonly deaths = new Map<string, number>();
  /** Deliveries that ended with a crash, by entry ID. */
  readonly lostDeliveries = new Map<string, number>();
  /** Dead letters that somebody tried to send back: they may be gone. */
  readonly touchedLetters = new Set<string>();
  /** Set when data was damaged by a foreign hand. */
  damage: { readonly kind: string; losesData: boolean; endedAt: number | undefined } | undefined;
  #ticks = 0;
  #calls = 0;

  tick(): number {
    return ++this.#ticks;
  }

  /** Texts of one enqueue call begin their way. */
  begin(items: readonly { readonly key: string; readonly text: string }[]): GivenText[] {
    const startedAt = this.tick();
    const call = ++this.#calls;
    const given = items.map(({ key, text }, place) => ({
      key,
      text,
      startedAt,
      call,
      place,
      endedAt: undefined,
      version: undefined,
    }));
    this.texts.push(...given);
    return given;
  }

  accept(given: GivenText, version: number): void {
    given.version = version;
    given.endedAt = this.tick();
  }

  beginCancel(key: string): Cancel {
    const cancel = { key, endedAt: undefined };
    this.cancels.push(cancel);
    return cancel;
  }

  /** Texts that the queue must have kept: accepted, and no cancel of the key ended after their start. */
  kept(key: string): GivenText[] {
    return this.texts.filter(
      (given) => given.key === key && given.endedAt !== undefined && !this.mayBeCancelled(given),
    );
  }

  mayBeCancelled({ key, startedAt }: GivenText): boolean {
    return this.cancels.some(
      (cancel) => cancel.key === key && (cancel.endedAt ?? Number.POSITIVE_INFINITY) >= startedAt,
    );
  }

  report(kind: string, detail: string): void {
    this.violations.push({ kind, detail });
  }

  /** A process died of this text. */
  countDeath({ key, version }: { readonly key: string; readonly version: number }): void {
    const name = nameOf(key, version);
    this.deaths.set(name, (this.deaths.get(name) ?? 0) + 1);
  }

  loseDelivery(entryId: string): void {
    this.lostDeliveries.set(entryId, (this.lostDeliveries.get(entryId) ?? 0) + 1);
  }

  count(what: string, times = 1): void {
    this.figures.set(what, (this.figures.get(what) ?? 0) + times);
  }
}

/** One version of one key, as one word. */
export function nameOf(key: string, version: number): string {
  return `${key}@${version}`;
}

/** Whether `later` was certainly given after `earlier`: the other order would be wrong. */
export function isCertainlyAfter(later: GivenText, earlier: GivenText): boolean {
  if (later.call === earlier.call) return later.place > earlier.place;
  return (earlier.endedAt ?? Number.POSITIVE_INFINITY) < later.startedAt;
}
