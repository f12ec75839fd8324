// Lines of a terminal, laid out in columns that hold however wide the letters are.

import { fit, padded, widthOf } from "../width.ts";

/** A piece of a line, with what colours it. */
export type Span = string | readonly [text: string, paint: (text: string) => string];

/** A line of at most so many columns: what stands left is cut so that what stands right has room. */
export function row(columns: number, left: readonly Span[], right: readonly Span[] = []): string {
  const rightWidth = right.reduce((sum, span) => sum + widthOf(textOf(span)), 0);
  const hasRoom = rightWidth > 0 && rightWidth + 10 <= columns;
  const leftWidth = hasRoom ? columns - rightWidth - 2 : columns;
  const shown = spans(left, leftWidth);
  if (!hasRoom) return shown.text;
  return `${shown.text}${" ".repeat(columns - rightWidth - shown.width)}${spans(right, rightWidth).text}`;
}

export interface Column {
  readonly title: string;
  readonly columns: number;
  readonly align?: "left" | "right";
}

/** Cells side by side, two spaces between them; the last takes what is left. */
export function cells(
  layout: readonly Column[],
  texts: readonly string[],
  paint: (text: string, index: number) => string = (text) => text,
): string {
  const last = layout.length - 1;
  return layout
    .map(({ columns, align }, i) => {
      const text = texts[i] ?? "";
      return paint(
        i === last && align !== "right" ? fit(text, columns) : padded(text, columns, align),
        i,
      );
    })
    .join("  ");
}

function spans(all: readonly Span[], columns: number): { text: string; width: number } {
  let [text, width] = ["", 0];
  for (const span of all) {
    const kept = fit(textOf(span), columns - width);
    text += typeof span === "string" ? kept : span[1](kept);
    width += widthOf(kept);
    if (kept !== textOf(span)) break;
  }
  return { text, width };
}

function textOf(span: Span): string {
  return typeof span === "string" ? span : span[0];
}
