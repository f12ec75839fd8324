// Texts that were sent and stand in what came back: found whole or in part, escaped or with other
// blanks. What a text says is neither shown nor does it decide anything.

import { utf8Length } from "./embedder.ts";

/** Letters in a row that are no coincidence. */
const RUN = 20;
/** Characters of the begin or the end of a text that are none, and the fewest letters they may have. */
const EDGE_CHARACTERS = 20;
const EDGE_LETTERS = 10;
/** What is searched of a message for long texts that are whole, and then for all that is left of any. */
const MAX_HEARD = 65_536;
const MAX_SEARCHED = 4000;

/** Blanks, and the escapes of JSON, also those that were escaped once more. */
const UNSPOKEN = /[\s\p{Cc}]+|\\+(?:u([\da-f]{4})|[nrtbf])?/giu;

/**
 * The message with a mark in the place of each text, at most 4,000 characters of it. Texts of fewer
 * than 20 letters are found whole, as words of their own; of longer ones, 20 characters from the
 * begin or the end, and any 39 letters from between. Blanks and escapes are no letters.
 *
 * @param minBytes What is shorter than this is a word that may stand in any message.
 */
export function withoutTexts(
  message: string,
  texts: readonly string[],
  mark: string,
  minBytes: number,
): string {
  const searched = withoutLong(message, texts, mark).slice(0, MAX_SEARCHED);
  const echo = new Echo(searched);
  for (const text of texts) echo.hide(text, minBytes);
  return echo.shown(mark);
}

/** Texts that leave no room for what stands behind them. */
function withoutLong(message: string, texts: readonly string[], mark: string): string {
  if (message.length <= MAX_SEARCHED) return message;
  let left = message.slice(0, MAX_HEARD);
  for (const text of texts) {
    if (text.length < MAX_SEARCHED / 4) continue;
    left = left.replaceAll(text, mark).replaceAll(JSON.stringify(text).slice(1, -1), mark);
  }
  return left;
}

/** A message, and which of its letters are those of texts. */
class Echo {
  readonly #message: string;
  #letters = "";
  /** Where each letter stands in the message. */
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  /** By which text each letter is hidden, counted from 1. */
  readonly #hiddenBy: Uint32Array;
  /** Where each row of letters begins. */
  readonly #runs = new Map<string, number[]>();
  #texts = 0;

  constructor(message: string) {
    this.#message = message;
    let from = 0;
    for (const found of message.matchAll(UNSPOKEN)) {
      this.#take(message.slice(from, found.index), from);
      from = found.index + found[0].length;
      const letter = spoken(found[0], found[1]);
      if (letter !== "") this.#push(letter, found.index, from);
    }
    this.#take(message.slice(from), from);
    this.#hiddenBy = new Uint32Array(this.#letters.length);
    for (let at = 0; at + RUN <= this.#letters.length; at++) {
      const run = this.#letters.slice(at, at + RUN);
      const places = this.#runs.get(run);
      if (places === undefined) this.#runs.set(run, [at]);
      else places.push(at);
    }
  }

  hide(text: string, minBytes: number): void {
    if (this.#letters === "") return;
    this.#texts++;
    // As it was sent: half a surrogate pair is replaced.
    const letters = text.toWellFormed().replace(UNSPOKEN, spoken);
    if (utf8Length(letters) < minBytes) return;
    if (letters.length < RUN) {
      for (const place of this.#placesOf(letters)) {
        const end = place + letters.length;
        if (this.#isWord(place, end)) this.#hiddenBy.fill(this.#texts, place, end);
      }
      return;
    }
    const head = letters.slice(0, edgeOf(text.trimStart().slice(0, EDGE_CHARACTERS)));
    for (const place of this.#placesOf(head)) this.#hideAround(letters, 0, place, head.length);
    const tail = letters.slice(-edgeOf(text.trimEnd().slice(-EDGE_CHARACTERS)));
    const tailAt = letters.length - tail.length;
    for (const place of this.#placesOf(tail)) this.#hideAround(letters, tailAt, place, tail.length);
    this.#hideBetween(letters);
  }

  shown(mark: string): string {
    let shown = "";
    let from = 0;
    for (let at = 0; at < this.#letters.length; at++) {
      if (this.#hiddenBy[at] === 0) continue;
      shown += this.#message.slice(from, this.#starts[at]) + mark;
      while (at + 1 < this.#letters.length && this.#hiddenBy[at + 1] !== 0) at++;
      from = this.#ends[at] as number;
    }
    return shown + this.#message.slice(from);
  }

  #take(letters: string, from: number): void {
    for (let i = 0; i < letters.length; i++) this.#push(letters.charAt(i), from + i, from + i + 1);
  }

  #push(letter: string, start: number, end: number): void {
    this.#letters += letter;
    this.#starts.push(start);
    this.#ends.push(end);
  }

  *#placesOf(letters: string): Iterable<number> {
    let at = this.#letters.indexOf(letters);
    for (; at >= 0; at = this.#letters.indexOf(letters, at + 1)) yield at;
  }

  /** By a sample of every 20 letters. */
  #hideBetween(letters: string): void {
    if (this.#runs.size === 0) return;
    const samples = new Map<string, number>();
    for (let at = 0; at + RUN <= letters.length; at += RUN) {
      samples.set(letters.slice(at, at + RUN), at);
    }
    for (const [run, at] of samples) {
      for (const place of this.#runs.get(run) ?? []) this.#hideAround(letters, at, place, RUN);
    }
  }

  /** False where the letters are a part of a longer word. */
  #isWord(at: number, end: number): boolean {
    const first = this.#starts[at] as number;
    const last = this.#ends[end - 1] as number;
    const isJoined = (place: number) => /^\w\w$/.test(this.#message.slice(place - 1, place + 1));
    return !(first > 0 && isJoined(first)) && !isJoined(last);
  }

  /** This many of the text's letters from `at` on stand at `place`; with them, all on both sides that are the same. */
  #hideAround(letters: string, at: number, place: number, length: number): void {
    if (this.#hiddenBy[place] === this.#texts) return;
    const heard = this.#letters;
    let before = 0;
    const isSame = (back: number) =>
      letters[at - back] === heard[place - back] && this.#hiddenBy[place - back] !== this.#texts;
    while (before < Math.min(at, place) && isSame(before + 1)) before++;
    let end = length;
    while (place + end < heard.length && letters[at + end] === heard[place + end]) end++;
    this.#hiddenBy.fill(this.#texts, place - before, place + end);
  }
}

/** How many letters these characters are, and at least as many as are no coincidence. */
function edgeOf(characters: string): number {
  return Math.max(EDGE_LETTERS, characters.replace(UNSPOKEN, spoken).length);
}

/** The letter of an escape; nothing for blanks and for other escapes. */
function spoken(_: string, hex: string | undefined): string {
  if (hex === undefined) return "";
  return String.fromCharCode(Number.parseInt(hex, 16)).replace(/[\s\p{Cc}]/u, "");
}
