// Templates make keys and texts of a row: `doc:{id}`, `{meta.id}`, `{line}`, `{sha256}`.

import { createHash } from "node:crypto";
import { UsageError } from "../errors.ts";
import { Problem, type Row } from "./rows.ts";

/** What stands in braces and is no field. */
const SPECIALS = ["line", "sha256"] as const;
type Special = (typeof SPECIALS)[number];

type Part = string | { readonly field: string; readonly special: Special | undefined };

export interface Template {
  /** Fields that it asks for; specials are not among them. */
  readonly fields: readonly string[];
  readonly hasSpecial: boolean;
  /**
   * @param text What `{sha256}` is of; undefined where the template makes the text itself.
   * @param allowsEmpty Whether a field may be empty.
   */
  fill(row: Row, text: string | undefined, allowsEmpty: boolean): string | Problem;
}

/**
 * Reads a template. `{name}` is a field, `{line}` the number of the line, `{sha256}` the digest of the
 * text; `{.line}` is a field of that name. Braces are written twice.
 *
 * @throws {UsageError} That names the flag and the place.
 */
export function parseTemplate(flag: string, source: string): Template {
  const parts = partsOf(flag, source);
  const slots = parts.filter((part) => typeof part !== "string");
  if (slots.length === 0) {
    throw new UsageError(`${flag} must hold a field in braces, like doc:{id}: it is "${source}"`);
  }
  return {
    fields: slots.filter(({ special }) => special === undefined).map(({ field }) => field),
    hasSpecial: slots.some(({ special }) => special !== undefined),
    fill: (row, text, allowsEmpty) => {
      let filled = "";
      for (const part of parts) {
        const piece = typeof part === "string" ? part : slotText(part, row, text, allowsEmpty);
        if (piece instanceof Problem) return piece;
        filled += piece;
      }
      return filled;
    },
  };
}

/** The content of a field as text. Numbers that JSON could not hold exactly are refused. */
export function fieldText(row: Row, name: string, allowsEmpty: boolean): string | Problem {
  const value = row.field(name);
  if (typeof value === "string") {
    return value.trim() === "" && !allowsEmpty
      ? new Problem(`has an empty field "${name}"`)
      : value;
  }
  if (typeof value === "number") {
    if (!Number.isInteger(value) || Number.isSafeInteger(value)) return String(value);
    return new Problem(`has a number in "${name}" that is too large to be exact: put it in quotes`);
  }
  if (typeof value === "boolean") return String(value);
  if (value === undefined) return new Problem(`has no field "${name}"${namesOf(row)}`);
  return new Problem(`has ${kindOf(value)} in "${name}" where a text or a number is wanted`);
}

/** What kind of JSON value it is, for messages that do not show it. */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

const MAX_SHOWN_NAMES = 8;

function namesOf(row: Row): string {
  const names = row.names();
  if (names.length === 0) return "";
  const shown = names.slice(0, MAX_SHOWN_NAMES).map((name) => name.slice(0, 40));
  return `; it has ${shown.join(", ")}${names.length > MAX_SHOWN_NAMES ? ", …" : ""}`;
}

function slotText(
  { field, special }: Exclude<Part, string>,
  row: Row,
  text: string | undefined,
  allowsEmpty: boolean,
): string | Problem {
  if (special === undefined) return fieldText(row, field, allowsEmpty);
  if (row.field(special) !== undefined) {
    return new Problem(`has a field "${special}" of its own: write {.${special}} for it`);
  }
  if (special === "line") return String(row.line);
  return createHash("sha256")
    .update(text ?? "")
    .digest("hex");
}

function partsOf(flag: string, source: string): Part[] {
  const parts: Part[] = [];
  // Doubled braces, a slot, plain text, or a brace that stands alone.
  for (const [piece] of source.matchAll(/\{\{|\}\}|\{[^{}]*\}|[^{}]+|[{}]/g)) {
    if (piece === "{{" || piece === "}}") parts.push(piece.charAt(0));
    else if (piece === "{" || piece === "}") {
      throw new UsageError(
        `${flag} has a ${piece} without its pair; a brace as such is written twice`,
      );
    } else if (piece.startsWith("{")) parts.push(slotOf(flag, piece.slice(1, -1).trim()));
    else parts.push(piece);
  }
  return parts;
}

function slotOf(flag: string, name: string): Part {
  if (name === "" || name === ".") throw new UsageError(`${flag} has braces without a field: {}`);
  if (name.startsWith(".")) return { field: name.slice(1), special: undefined };
  return { field: name, special: SPECIALS.find((special) => special === name) };
}
