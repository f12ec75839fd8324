// How many columns of a terminal a text takes: two for what is wide in East Asia and for pictures,
// none for what stands upon the letter before it.

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** First and last code points of what is wide, in order; after Unicode's East_Asian_Width. */
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x231a, 0x231b],
  [0x2329, 0x232a],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xa000, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x17000, 0x18cff],
  [0x1b000, 0x1b2ff],
  [0x1f200, 0x1f2ff],
  [0x20000, 0x3fffd],
];

/** What does not take a column of its own. */
const EMPTY = /^[\p{Mark}\p{Cf}\p{Cc}\p{Zl}\p{Zp}]+$/u;
const PICTURE = /^\p{Emoji_Presentation}|️/u;
const PLAIN = /^[\x20-\x7e]*$/;

/** The columns that a text takes, without escape sequences in it. */
export function widthOf(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += widthOfOne(segment);
  return width;
}

/** The text in at most so many columns; where it is cut, an ellipsis says so. */
export function fit(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  if (columns <= 0) return "";
  let [kept, width] = ["", 0];
  for (const { segment } of graphemes.segment(text)) {
    width += widthOfOne(segment);
    if (width > columns - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}

/** The text in exactly so many columns, at their left or right end. */
export function padded(text: string, columns: number, align: "left" | "right" = "left"): string {
  const kept = fit(text, columns);
  const room = " ".repeat(Math.max(0, columns - widthOf(kept)));
  return align === "left" ? kept + room : room + kept;
}

function widthOfOne(grapheme: string): number {
  if (EMPTY.test(grapheme)) return 0;
  if (PICTURE.test(grapheme)) return 2;
  const point = grapheme.codePointAt(0) ?? 0;
  return WIDE.some(([first, last]) => point >= first && point <= last) ? 2 : 1;
}
