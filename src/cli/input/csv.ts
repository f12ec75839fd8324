// CSV and TSV with a header line, as RFC 4180 describes them. A parser of its own, because of what is
// wrong with lines: each fault has its exact place, takes no more memory than a line may have, and does
// not swallow the lines after it unsaid.

import { UsageError } from "../errors.ts";
import { type Line, LineSplitter } from "./lines.ts";
import { type BadRow, Problem, type Row, type RowReader } from "./rows.ts";

export interface CsvOptions {
  readonly delimiter: string;
  /** The longest record, in bytes: one whose quote is never closed would take all that follows. */
  readonly maxBytes: number;
  /** Called once with the names of the columns; may throw where what is needed is not among them. */
  onHeader(columns: readonly string[]): void;
}

export class CsvReader implements RowReader {
  readonly #options: CsvOptions;
  readonly #splitter: LineSplitter;
  #columns: readonly string[] | undefined;
  #record: OpenRecord;

  constructor(options: CsvOptions) {
    this.#options = options;
    this.#splitter = new LineSplitter(options.maxBytes);
    this.#record = new OpenRecord(options.delimiter);
  }

  read(chunk: Uint8Array): readonly (Row | BadRow)[] {
    return this.#rows(this.#splitter.push(chunk), false);
  }

  end(): readonly (Row | BadRow)[] {
    return this.#rows(this.#splitter.end(), true);
  }

  #rows(lines: readonly Line[], isEnd: boolean): (Row | BadRow)[] {
    const rows: (Row | BadRow)[] = [];
    // From the end, so that lines of a record that is none can be put back.
    let left = lines.toReversed();
    for (;;) {
      for (let line = left.pop(); line !== undefined; line = left.pop()) {
        const row = this.#take(line, left);
        if (row !== undefined) rows.push(row);
      }
      if (!isEnd || this.#record.lines.length === 0) return rows;
      left = [];
      rows.push(this.#unclosed(left));
    }
  }

  /** @param left Gets the lines that are to be read again. */
  #take(line: Line, left: Line[]): Row | BadRow | undefined {
    const record = this.#record;
    if (line.content instanceof Problem) {
      const bad = { line: line.number, endLine: line.number, problem: line.content };
      if (record.lines.length === 0) return bad;
      left.push(line);
      return this.#unclosed(left);
    }
    if (record.lines.length === 0 && line.content.trim() === "") return undefined;
    const state = record.add(line, line.content);
    if (state === "open") {
      return record.size > this.#options.maxBytes ? this.#unclosed(left) : undefined;
    }
    this.#record = new OpenRecord(this.#options.delimiter);
    return this.#rowOf(record, state, line.number);
  }

  #rowOf(record: OpenRecord, state: "whole" | Problem, endLine: number): Row | BadRow | undefined {
    const line = record.lines[0]?.number ?? endLine;
    const columns = this.#columns;
    if (columns === undefined) {
      if (state instanceof Problem) throw new UsageError(`The header line ${state.words}`);
      this.#columns = record.fields.map((name) => name.trim());
      this.#options.onHeader(this.#columns);
      return undefined;
    }
    const problem = state === "whole" ? miscount(record.fields, columns) : state;
    if (problem !== undefined) return { line, endLine, problem };
    return new CsvRow(line, endLine, columns, record.fields);
  }

  /** The quote that opened the record is a stray one: only its line is bad, the others are read again. */
  #unclosed(left: Line[]): BadRow {
    const [first, ...others] = this.#record.lines;
    this.#record = new OpenRecord(this.#options.delimiter);
    if (this.#columns === undefined) {
      throw new UsageError("The header line has a quote that is not closed");
    }
    // The last one may be among them already, as what comes next.
    for (const line of others.reverse()) left.push(line);
    const line = first?.number ?? 1;
    return { line, endLine: line, problem: new Problem("has a quote that is not closed") };
  }
}

function miscount(fields: readonly string[], columns: readonly string[]): Problem | undefined {
  if (fields.length === columns.length) return undefined;
  return new Problem(`has ${fields.length} fields where the header has ${columns.length}`);
}

const STRAY = new Problem(
  "has a quote in the wrong place (inside a quoted field it is written twice)",
);

/** A record whose lines come one by one. */
class OpenRecord {
  readonly fields: string[] = [];
  readonly lines: Line[] = [];
  /** In characters, about. */
  size = 0;
  readonly #delimiter: string;
  /** Pieces of the quoted field that is not closed yet. */
  #open: string[] | undefined;

  constructor(delimiter: string) {
    this.#delimiter = delimiter;
  }

  /** Takes the next line. After anything but "open" the record is over. */
  add(line: Line, content: string): "open" | "whole" | Problem {
    this.lines.push(line);
    this.size += content.length;
    let at = 0;
    if (this.#open !== undefined) {
      this.#open.push("\n");
      const next = this.#quoted(content, 0);
      if (typeof next !== "number") return next;
      if (next > content.length) return "whole";
      at = next;
    }
    for (;;) {
      if (content.startsWith('"', at)) {
        this.#open = [];
        const next = this.#quoted(content, at + 1);
        if (typeof next !== "number") return next;
        if (next > content.length) return "whole";
        at = next;
      } else {
        const end = content.indexOf(this.#delimiter, at);
        this.fields.push(content.slice(at, end < 0 ? content.length : end));
        if (end < 0) return "whole";
        at = end + this.#delimiter.length;
      }
    }
  }

  /** The rest of a quoted field; where the next field begins, behind the end of the line if none does. */
  #quoted(content: string, from: number): number | "open" | Problem {
    const pieces = this.#open ?? [];
    for (let at = from; ; ) {
      const quote = content.indexOf('"', at);
      if (quote < 0) {
        pieces.push(content.slice(at));
        return "open";
      }
      if (content.startsWith('""', quote)) {
        pieces.push(content.slice(at, quote + 1));
        at = quote + 2;
        continue;
      }
      pieces.push(content.slice(at, quote));
      this.fields.push(pieces.join(""));
      this.#open = undefined;
      if (quote + 1 === content.length) return content.length + 1;
      if (!content.startsWith(this.#delimiter, quote + 1)) return STRAY;
      return quote + 1 + this.#delimiter.length;
    }
  }
}

class CsvRow implements Row {
  readonly line: number;
  readonly endLine: number;
  readonly #columns: readonly string[];
  readonly #fields: readonly string[];

  constructor(
    line: number,
    endLine: number,
    columns: readonly string[],
    fields: readonly string[],
  ) {
    this.line = line;
    this.endLine = endLine;
    this.#columns = columns;
    this.#fields = fields;
  }

  names(): readonly string[] {
    return this.#columns;
  }

  field(name: string): string | undefined {
    return this.#fields[this.#columns.indexOf(name)];
  }
}
