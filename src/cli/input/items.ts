// Rows become items: a key and a text each, checked as the queue checks them, so that one bad line
// does not harm the others of its call.

import { UsageError } from "../errors.ts";
import type { FormatName } from "./formats.ts";
import { type BadRow, type Place, Problem, type Row } from "./rows.ts";
import { fieldText, kindOf, parseTemplate, type Template } from "./template.ts";

/** What is enqueued, and where it came from. */
export interface InputItem extends Place {
  readonly key: string;
  readonly text: string;
}

/** How keys and texts are found; what is not said has the usual name. */
export interface ItemOptions {
  readonly keyField: string | undefined;
  readonly keyTemplate: string | undefined;
  readonly textField: string | undefined;
  readonly textTemplate: string | undefined;
  /** Name of the queue: its own keys are no destinations. */
  readonly queueName: string;
}

/** Turns rows of one format into items. */
export interface ItemMaker {
  /** Fields that every row must have. */
  readonly needed: readonly string[];
  of(row: Row): InputItem | BadRow;
}

/** @throws {UsageError} Where options contradict each other, or plain lines have no template. */
export function itemMaker(format: FormatName, options: ItemOptions): ItemMaker {
  const { keyField = "key", textField = "text", queueName } = options;
  refuseBoth("--key-field", options.keyField, "--key-template", options.keyTemplate);
  refuseBoth("--text-field", options.textField, "--text-template", options.textTemplate);
  const keyTemplate = templateOf("--key-template", options.keyTemplate);
  const textTemplate = templateOf("--text-template", withBreaks(options.textTemplate));
  if (textTemplate?.hasSpecial) {
    throw new UsageError("--text-template can hold fields only: {.line} is a field named line");
  }
  if (format === "lines") checkPlain(options, keyTemplate);
  const keyFrom = (row: Row, text: string) =>
    keyTemplate?.fill(row, text, false) ?? fieldText(row, keyField, false);
  const textFrom = (row: Row) => textTemplate?.fill(row, undefined, true) ?? textOf(row, textField);
  return {
    needed: [...(keyTemplate?.fields ?? [keyField]), ...(textTemplate?.fields ?? [textField])],
    of: (row) => {
      const { line, endLine } = row;
      const text = textFrom(row);
      const key = text instanceof Problem ? text : keyFrom(row, text);
      if (text instanceof Problem) return { line, endLine, problem: text };
      if (key instanceof Problem) return { line, endLine, problem: key };
      const problem = faultOf(key, text, queueName);
      return problem ? { line, endLine, problem } : { line, endLine, key, text };
    },
  };
}

function textOf(row: Row, name: string): string | Problem {
  const value = row.field(name);
  if (typeof value === "string") return value;
  if (value === undefined) return fieldText(row, name, true);
  return new Problem(`has ${kindOf(value)} in "${name}" where a text is wanted`);
}

/** Why the queue would refuse them. */
function faultOf(key: string, text: string, queueName: string): Problem | undefined {
  // JSON can name one half of a pair of surrogates.
  if (!key.isWellFormed()) return new Problem("has half a character in its key");
  if (!text.isWellFormed()) return new Problem("has half a character in its text");
  if (!key.startsWith(`{${queueName}}:`)) return undefined;
  return new Problem("has a key of the queue itself, which is no place for a vector");
}

function checkPlain(options: ItemOptions, keyTemplate: Template | undefined): void {
  const { keyField, textField, textTemplate } = options;
  if (keyTemplate === undefined || keyField !== undefined) {
    throw new UsageError(
      "Plain lines have no keys of their own: say --key-template 'doc:{line}' or 'doc:{sha256}'",
    );
  }
  if (textField !== undefined || textTemplate !== undefined) {
    throw new UsageError("Plain lines have no fields: each line is a text");
  }
  const [unknown] = keyTemplate.fields;
  if (unknown !== undefined && unknown !== "text") {
    throw new UsageError(`Plain lines have no field "${unknown}": there are {line} and {sha256}`);
  }
}

function templateOf(flag: string, source: string | undefined): Template | undefined {
  return source === undefined ? undefined : parseTemplate(flag, source);
}

/** Shells hand on \n as two characters. */
function withBreaks(source: string | undefined): string | undefined {
  return source?.replaceAll("\\n", "\n").replaceAll("\\t", "\t");
}

function refuseBoth(a: string, ofA: unknown, b: string, ofB: unknown): void {
  if (ofA !== undefined && ofB !== undefined) throw new UsageError(`Say ${a} or ${b}, not both`);
}
