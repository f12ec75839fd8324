// What a worker says while it works: lines for people on standard error, in which what repeats is
// counted instead of said; or all events as lines of JSON on standard output.

import process from "node:process";
import { clearTimeout, setTimeout } from "node:timers";
import type { EmbeddingQueue, EmbedqEvents, EventName } from "../../index.ts";
import { messageOf } from "../errors.ts";
import { counted } from "../format.ts";
import type { Output } from "../output.ts";
import { BEGINS, news, SENTENCES, type Sentence } from "./sentences.ts";

/** The same is said again after this long at the earliest; doubled each time, up to the longest. */
const HOLD_MS = 10_000;
const LONGEST_HOLD_MS = 300_000;
/** Topics that are kept in mind. */
const MAX_TOPICS = 200;

interface Held {
  readonly name: EventName;
  readonly timer: NodeJS.Timeout;
  /** Not said since the last time. */
  count: number;
  last: Sentence;
}

export class Journal {
  readonly #out: Output;
  readonly #writesData: boolean;
  readonly #held = new Map<string, Held>();
  /** Events that were said and have an end, which was not said yet. */
  readonly #begun = new Set<EventName>();

  /** @param options `isForPeople`: sentences also with `--json`, where the data is something else. */
  constructor(out: Output, { isForPeople = false }: { readonly isForPeople?: boolean } = {}) {
    this.#out = out;
    this.#writesData = out.isJson && !isForPeople;
  }

  /** Writes down all events of a queue with a worker. */
  follow(queue: EmbeddingQueue): void {
    for (const name of Object.keys(SENTENCES) as EventName[]) {
      queue.on(name, (payload) => this.#take(name, payload));
    }
  }

  /** Says something that is no event; as data it is one of that name. */
  say(name: string, text: string, data: object = {}): void {
    if (this.#writesData) this.#write(name, data);
    else this.#print(news(text));
  }

  /** Says what is still held down; to be called before the last words, too. */
  end(): void {
    for (const [topic, { timer }] of this.#held) {
      clearTimeout(timer);
      this.#release(topic);
    }
    this.#held.clear();
  }

  #take<Name extends EventName>(name: Name, payload: EmbedqEvents[Name]): void {
    if (this.#writesData) {
      this.#write(name, payload);
      return;
    }
    const sentence = SENTENCES[name](payload);
    if (sentence === undefined || !this.#isWanted(sentence)) return;
    const begin = BEGINS[name];
    if (begin !== undefined) {
      // Of a begin that was held down, the end is no news either.
      if (this.#begun.delete(begin)) this.#print(sentence);
      return;
    }
    const topic = `${name} ${sentence.topic.replaceAll(/\d[\d,.]*( ms| s| min| h| d)?|"[^"]*"/g, "#")}`;
    const held = this.#held.get(topic);
    if (held === undefined) {
      this.#print(sentence);
      this.#begun.add(name);
      this.#hold(topic, name, sentence, HOLD_MS);
    } else {
      held.count++;
      held.last = sentence;
    }
  }

  /** With `--verbose`, details are said one by one. */
  #hold(topic: string, name: EventName, last: Sentence, holdMs: number): void {
    if (last.weight === "detail") return;
    if (this.#held.size >= MAX_TOPICS) {
      const [oldest] = this.#held.keys();
      if (oldest !== undefined) {
        clearTimeout(this.#held.get(oldest)?.timer);
        this.#release(oldest);
        this.#held.delete(oldest);
      }
    }
    const timer = setTimeout(() => {
      const held = this.#held.get(topic);
      this.#release(topic);
      this.#held.delete(topic);
      if (held && held.count > 0) {
        this.#hold(topic, name, held.last, Math.min(LONGEST_HOLD_MS, holdMs * 2));
      }
    }, holdMs);
    this.#held.set(topic, { name, timer, count: 0, last });
  }

  #release(topic: string): void {
    const { name, count = 0, last } = this.#held.get(topic) ?? {};
    if (name === undefined || last === undefined || count === 0) return;
    this.#begun.add(name);
    const more = count === 1 ? "" : ` (and ${counted(count - 1)} more like it)`;
    this.#print({ ...last, text: last.text + more });
  }

  #isWanted({ weight }: Sentence): boolean {
    if (weight === "detail") return this.#out.isVerbose && !this.#out.isQuiet;
    return weight === "warning" || !this.#out.isQuiet;
  }

  #print({ weight, text }: Sentence): void {
    const { yellow, dim } = this.#out.noteStyle;
    const shown = weight === "warning" ? yellow(text) : weight === "detail" ? dim(text) : text;
    const line = `${dim(timeOf(new Date()))} ${shown}`;
    if (weight === "warning") this.#out.warn(line);
    else this.#out.note(line);
  }

  #write(event: string, payload: object): void {
    const time = new Date().toISOString();
    this.#out.jsonLine({ time, event, ...(withPlainErrors(payload) as object) });
  }
}

/** Somebody at a terminal knows the day; a log may not know the zone. */
function timeOf(now: Date): string {
  const isTerminal = process.stderr.isTTY === true;
  return isTerminal ? now.toTimeString().slice(0, 8) : now.toISOString().replace(/\.\d+/, "");
}

function withPlainErrors(payload: object): object {
  const entries = Object.entries(payload).map(([name, value]: [string, unknown]) => [
    name,
    value instanceof Error ? plainError(value) : value,
  ]);
  return Object.fromEntries(entries) as object;
}

/** An error as data, without its stack. */
function plainError(error: Error): { code: string | undefined; message: string } {
  const { code } = error as { code?: unknown };
  return { code: typeof code === "string" ? code : undefined, message: messageOf(error) };
}
