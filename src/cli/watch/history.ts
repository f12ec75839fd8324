// What changes from look to look: rates of the last seconds, and their course over the last minute.

import type { QueueStats } from "../../index.ts";

/** Rates are those of about the last so many milliseconds. */
const RATE_MS = 10_000;
/** How far back the course goes. */
const COURSE_MS = 60_000;

interface Sample {
  readonly at: number;
  readonly texts: number;
  readonly calls: number;
  readonly tokens: number;
  /** Of each call how full it was, added up. */
  readonly fill: number;
  readonly pending: number;
}

type Counted = "texts" | "calls" | "tokens" | "pending";

/** A second's worth; undefined as long as nobody knows. */
export interface Rates {
  readonly texts: number | undefined;
  readonly calls: number | undefined;
  readonly tokens: number | undefined;
  /** By how much there is more left to do; below 0 it becomes less. */
  readonly pending: number | undefined;
  /** How full the calls were, from 0 to 1; undefined without calls. */
  readonly batchFill: number | undefined;
}

export class History {
  readonly #samples: Sample[] = [];

  /** @param at Milliseconds of a clock that only goes forward. */
  add({ usage, pending }: QueueStats, at: number): void {
    const { texts, calls, tokens, batchFill = 0 } = usage;
    const last = this.#samples.at(-1);
    // Counted anew, for instance as the queue was purged.
    if (last !== undefined && (texts < last.texts || calls < last.calls)) this.#samples.length = 0;
    this.#samples.push({ at, texts, calls, tokens, fill: batchFill * calls, pending });
    // One before the beginning of the course is kept, to know what was there then.
    while ((this.#samples[1]?.at ?? at) < at - COURSE_MS) this.#samples.shift();
  }

  rates(): Rates {
    const last = this.#samples.at(-1);
    const from = this.#samples.findLast(({ at }) => last !== undefined && at <= last.at - RATE_MS);
    const first = from ?? this.#samples[0];
    if (last === undefined || first === undefined || last.at <= first.at) return NO_RATES;
    const seconds = (last.at - first.at) / 1000;
    const calls = last.calls - first.calls;
    return {
      texts: (last.texts - first.texts) / seconds,
      calls: calls / seconds,
      tokens: (last.tokens - first.tokens) / seconds,
      pending: (last.pending - first.pending) / seconds,
      batchFill: calls <= 0 ? undefined : Math.min(1, (last.fill - first.fill) / calls),
    };
  }

  /** The rate in each of so many equal parts of the last minute; undefined where nothing is known yet. */
  course(of: Counted, parts: number): (number | undefined)[] {
    const end = this.#samples.at(-1)?.at ?? 0;
    const partMs = COURSE_MS / parts;
    return Array.from({ length: parts }, (_, i) => {
      const from = this.#at(end - (parts - i) * partMs, of);
      const to = this.#at(end - (parts - i - 1) * partMs, of);
      return from === undefined || to === undefined
        ? undefined
        : Math.max(0, ((to - from) * 1000) / partMs);
    });
  }

  /** What was counted at a moment, between two samples as if it had grown evenly. */
  #at(moment: number, of: Counted): number | undefined {
    const next = this.#samples.findIndex(({ at }) => at >= moment);
    const [before, after] = [this.#samples[next - 1], this.#samples[next]];
    if (after === undefined) return undefined;
    if (after.at === moment) return after[of];
    if (before === undefined) return undefined;
    const share = (moment - before.at) / (after.at - before.at);
    return before[of] + share * (after[of] - before[of]);
  }
}

const NO_RATES: Rates = {
  texts: undefined,
  calls: undefined,
  tokens: undefined,
  pending: undefined,
  batchFill: undefined,
};

const BARS = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/** A course as a row of bars, the highest as high as the line; a space where nothing is known. */
export function sparkline(values: readonly (number | undefined)[]): string {
  const top = Math.max(0, ...values.map((value) => value ?? 0));
  return values
    .map((value) => {
      if (value === undefined) return " ";
      if (value <= 0 || top === 0) return BARS[0];
      return BARS[Math.max(1, Math.ceil((value / top) * BARS.length) - 1)];
    })
    .join("");
}
