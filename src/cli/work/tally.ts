// What a worker has done, added up from its events.

import type { EmbeddingQueue } from "../../index.ts";
import { counted, countedNoun, percent, perSecond } from "../format.ts";

export class Tally {
  texts = 0;
  calls = 0;
  tokens = 0;
  dead = 0;
  handedBack = 0;
  /** Of each call how full it was, added up. */
  #fill = 0;

  follow(queue: EmbeddingQueue): void {
    queue.on("batch:drained", ({ batchSize, errorCount, calls, tokens, batchFill = 0 }) => {
      this.texts += batchSize - errorCount;
      this.calls += calls;
      this.tokens += tokens;
      this.#fill += batchFill * calls;
    });
    queue.on("text:dead", () => {
      this.dead++;
    });
    queue.on("worker:stopped", ({ handedBack }) => {
      this.handedBack = handedBack;
    });
  }

  /** How full the calls were on average, from 0 to 1; undefined without calls. */
  get batchFill(): number | undefined {
    return this.calls === 0 ? undefined : this.#fill / this.calls;
  }

  /** What came since an earlier moment. */
  since(earlier: Tally): Tally {
    const difference = new Tally();
    difference.texts = this.texts - earlier.texts;
    difference.calls = this.calls - earlier.calls;
    difference.tokens = this.tokens - earlier.tokens;
    difference.dead = this.dead - earlier.dead;
    difference.#fill = this.#fill - earlier.#fill;
    return difference;
  }

  /** As it is now. */
  copy(): Tally {
    return this.since(new Tally());
  }

  /** In one sentence, for a stretch of time. */
  sentence(ms: number): string {
    const rate = ms > 0 && this.texts > 0 ? ` (${perSecond((this.texts * 1000) / ms)})` : "";
    const parts = [`${countedNoun(this.texts, "text")}${rate}`, countedNoun(this.calls, "call")];
    const fill = this.batchFill;
    if (fill !== undefined) parts.push(`filled ${percent(fill)}`);
    parts.push(countedNoun(this.tokens, "token"));
    if (this.dead > 0) parts.push(`${counted(this.dead)} given up`);
    return parts.join(", ");
  }
}
