// What every input format comes to: rows with named fields, or a word about why a line is none.

/** Why a line cannot be used, in words that end a sentence. Never shows what the line holds. */
export class Problem {
  readonly words: string;

  constructor(words: string) {
    this.words = words;
  }
}

/** Where a row stands in its file, counted from 1. */
export interface Place {
  readonly line: number;
  /** Differs from `line` where a quoted field holds line breaks. */
  readonly endLine: number;
}

/** One record of the input. */
export interface Row extends Place {
  /** A field by its name; undefined where there is none. */
  field(name: string): unknown;
  /** The names of its fields, for messages. */
  names(): readonly string[];
}

/** A line that is no record. */
export interface BadRow extends Place {
  readonly problem: Problem;
}

/** Turns bytes into rows, however the bytes are cut. */
export interface RowReader {
  read(chunk: Uint8Array): readonly (Row | BadRow)[];
  /** What the end of the input brings. */
  end(): readonly (Row | BadRow)[];
}
