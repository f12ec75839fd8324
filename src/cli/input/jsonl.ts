// JSON lines: one object a line. Plain lines: one text a line. Blank lines are passed over in both.

import { type Line, LineSplitter } from "./lines.ts";
import { type BadRow, Problem, type Row, type RowReader } from "./rows.ts";

/** Makes rows of lines, each by itself. */
class LineReader implements RowReader {
  readonly #splitter: LineSplitter;
  readonly #toRow: (content: string, number: number) => Row | Problem;

  constructor(maxBytes: number, toRow: (content: string, number: number) => Row | Problem) {
    this.#splitter = new LineSplitter(maxBytes);
    this.#toRow = toRow;
  }

  read(chunk: Uint8Array): readonly (Row | BadRow)[] {
    return this.#rows(this.#splitter.push(chunk));
  }

  end(): readonly (Row | BadRow)[] {
    return this.#rows(this.#splitter.end());
  }

  #rows(lines: readonly Line[]): (Row | BadRow)[] {
    const rows: (Row | BadRow)[] = [];
    for (const { number, content } of lines) {
      if (typeof content === "string" && content.trim() === "") continue;
      const row = typeof content === "string" ? this.#toRow(content, number) : content;
      rows.push(row instanceof Problem ? { line: number, endLine: number, problem: row } : row);
    }
    return rows;
  }
}

/** @param maxBytes The longest line. */
export function jsonLines(maxBytes: number): RowReader {
  return new LineReader(maxBytes, (content, number) => {
    const value = parsed(content);
    return value instanceof Problem ? value : new JsonRow(number, value);
  });
}

/** Each line is a text; it has no other field. */
export function plainLines(maxBytes: number): RowReader {
  return new LineReader(maxBytes, (content, number) => new PlainRow(number, content));
}

class PlainRow implements Row {
  readonly line: number;
  readonly #text: string;

  constructor(line: number, text: string) {
    this.line = line;
    this.#text = text;
  }

  get endLine(): number {
    return this.line;
  }

  names(): readonly string[] {
    return [];
  }

  field(name: string): string | undefined {
    return name === "text" ? this.#text : undefined;
  }
}

class JsonRow implements Row {
  readonly line: number;
  readonly #value: object;

  constructor(line: number, value: object) {
    this.line = line;
    this.#value = value;
  }

  get endLine(): number {
    return this.line;
  }

  names(): readonly string[] {
    return Object.keys(this.#value);
  }

  /** A field of exactly this name; else the way into nested ones: `meta.id`, `tags.0`. */
  field(name: string): unknown {
    const own = ownField(this.#value, name);
    if (own !== undefined || !name.includes(".")) return own;
    return name.split(".").reduce<unknown>(ownField, this.#value);
  }
}

function ownField(value: unknown, name: string): unknown {
  const isHolder = typeof value === "object" && value !== null;
  return isHolder && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

function parsed(content: string): object | Problem {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    // What the engines say of it shows the text, or fails by its depth.
    return new Problem("is not JSON");
  }
  if (Array.isArray(value)) {
    return new Problem("is a JSON array: one object a line is wanted (jq -c '.[]' makes them)");
  }
  if (typeof value === "object" && value !== null) return value;
  return new Problem("is JSON, but no object");
}
