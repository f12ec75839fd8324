// Which format an input has, and what reads it.

import { UsageError } from "../errors.ts";
import { CsvReader } from "./csv.ts";
import { jsonLines, plainLines } from "./jsonl.ts";
import type { RowReader } from "./rows.ts";

export const FORMATS = ["jsonl", "csv", "tsv", "lines"] as const;
export type FormatName = (typeof FORMATS)[number];

const BY_EXTENSION: Readonly<Record<string, FormatName>> = {
  jsonl: "jsonl",
  ndjson: "jsonl",
  json: "jsonl",
  csv: "csv",
  tsv: "tsv",
  tab: "tsv",
  txt: "lines",
};

/**
 * @param path Standard input is `-`.
 * @throws {UsageError} Where the name does not tell.
 */
export function formatOf(path: string, said: FormatName | undefined): FormatName {
  if (said !== undefined) return said;
  if (path === "-") return "jsonl";
  const [, extension = ""] = /\.([^./\\]+)$/.exec(path.replace(/\.gz$/i, "")) ?? [];
  const format = BY_EXTENSION[extension.toLowerCase()];
  if (format !== undefined) return format;
  throw new UsageError(`Which format has ${path}? Say --format ${FORMATS.join(", ")}`);
}

export interface ReadOptions {
  readonly delimiter: string | undefined;
  readonly maxLineBytes: number;
}

/**
 * @param name Of the input, for messages.
 * @param needed Fields that every row must have.
 */
export function rowReader(
  format: FormatName,
  { delimiter, maxLineBytes }: ReadOptions,
  name: string,
  needed: readonly string[],
): RowReader {
  if (format === "jsonl") return jsonLines(maxLineBytes);
  if (format === "lines") return plainLines(maxLineBytes);
  return new CsvReader({
    delimiter: delimiter ?? (format === "tsv" ? "\t" : ","),
    maxBytes: maxLineBytes,
    onHeader: (columns) => checkColumns(name, columns, needed),
  });
}

function checkColumns(name: string, columns: readonly string[], needed: readonly string[]): void {
  const missing = needed.find((column) => !columns.includes(column));
  const shown = columns.slice(0, 20).map((column) => column.slice(0, 60));
  if (missing !== undefined) {
    const other = columns.length === 1 ? " (is --delimiter right?)" : "";
    throw new UsageError(
      `${name} has no column "${missing}": its header is ${shown.join(", ")}${other}. Name columns with --key-field, --text-field or --key-template`,
    );
  }
  const twice = needed.find((column) => columns.indexOf(column) !== columns.lastIndexOf(column));
  if (twice !== undefined) throw new UsageError(`${name} has two columns "${twice}"`);
}
