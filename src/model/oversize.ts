// Texts that are longer than the embedder takes: cut to what fits.

/** What is done with a text that is longer than the embedder takes; see `onOversize` of the options. */
export type OversizePolicy = "reject" | "truncate" | "split-and-average";

/** What one text may have at most, and how that is measured. */
export interface Room {
  readonly tokens: number;
  readonly bytes: number;
  sizeOf(text: string): { readonly tokens: number; readonly bytes: number };
}

/** The longest start of the text that fits; leading blanks are left out. */
export function cutToStart(text: string, room: Room): string {
  const trimmed = text.trimStart();
  return trimmed.slice(0, fittingLength(trimmed, room));
}

/** The text in pieces that fit, cut between words where there is a gap near the end of a piece. Blank pieces are left out. */
export function cutToPieces(text: string, room: Room): readonly string[] {
  const pieces: string[] = [];
  for (let rest = text.trim(); rest !== ""; rest = rest.trimStart()) {
    const most = fittingLength(rest, room);
    const length = most < rest.length ? gapBefore(rest, most) : most;
    pieces.push(rest.slice(0, length).trimEnd());
    rest = rest.slice(length);
  }
  return pieces;
}

/** The most UTF-16 units from the start that fit, at least one character. */
function fittingLength(text: string, room: Room): number {
  const doesFit = (length: number) => {
    const { tokens, bytes } = room.sizeOf(text.slice(0, length));
    return tokens <= room.tokens && bytes <= room.bytes;
  };
  // Doubling first: of a long text only the start is measured.
  let fits = 0;
  let tooMuch = 1024;
  while (tooMuch <= text.length && doesFit(tooMuch)) {
    fits = tooMuch;
    tooMuch *= 2;
  }
  tooMuch = Math.min(tooMuch, text.length + 1);
  while (tooMuch - fits > 1) {
    const middle = Math.floor((fits + tooMuch) / 2);
    if (doesFit(middle)) fits = middle;
    else tooMuch = middle;
  }
  return Math.max(wholeCharacter(text, fits), firstCharacter(text));
}

/** Not between the halves of a surrogate pair. */
function wholeCharacter(text: string, length: number): number {
  const last = text.charCodeAt(length - 1);
  return length < text.length && last >= 0xd800 && last < 0xdc00 ? length - 1 : length;
}

function firstCharacter(text: string): number {
  return (text.codePointAt(0) ?? 0) > 0xffff ? 2 : 1;
}

/** The end of the last word that ends in the last eighth of the piece; the whole piece where none does. */
function gapBefore(text: string, most: number): number {
  for (let at = most; at > most - most / 8; at--) {
    if (/\s/.test(text[at] ?? "")) return at;
  }
  return most;
}
