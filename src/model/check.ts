// Checking what users pass in: the schemas that options are made of, and messages that name the
// option, the value found and the value wanted.

import * as v from "valibot";
import type { EmbedderLimits } from "./embedder.ts";
import { EmbedqError } from "./errors.ts";
import { nearest } from "./nearest.ts";

/** A whole number in this range. */
export const wholeFrom = (
  minimum: number,
  maximum: number = Number.MAX_SAFE_INTEGER,
): v.GenericSchema<number> => {
  const isBounded = maximum < Number.MAX_SAFE_INTEGER;
  const whole = `must be a whole number from ${minimum}${isBounded ? ` to ${maximum}` : ""}`;
  return v.pipe(
    v.number(whole),
    v.integer(whole),
    v.minValue(minimum, `must be at least ${minimum}`),
    v.maxValue(maximum, `must be at most ${maximum}`),
  );
};

/** One of these words. */
export const oneOf = <const T extends readonly string[]>(
  ...values: T
): v.GenericSchema<T[number]> =>
  v.picklist(values, `must be one of ${values.map((value) => `"${value}"`).join(", ")}`);

/** A string of this form. */
export const text = (pattern: RegExp, wanted: string): v.GenericSchema<string> =>
  v.pipe(v.string(`must be ${wanted}`), v.regex(pattern, `must be ${wanted}`));

/** A name of a model, or of something like it. */
export const modelName: v.GenericSchema<string> = text(/^[^\n]+$/, "a name without line breaks");
/** A name that goes into the digest of each text; may be empty. */
export const oneLine: v.GenericSchema<string> = text(/^[^\n]*$/, "a name without line breaks");

/** A name that becomes part of a key in Redis: of a queue, of an account. */
export const keyName: v.GenericSchema<string> = text(
  /^[^{}\0\n]+$/,
  "a name without braces and line breaks",
);

/** The fields of `EmbedderLimits`. */
export const limitEntries: Readonly<Record<keyof EmbedderLimits, v.GenericSchema<unknown>>> = {
  maxItems: v.optional(wholeFrom(1)),
  maxTokens: v.optional(wholeFrom(1)),
  maxBytes: v.optional(wholeFrom(1)),
  maxInputTokens: v.optional(wholeFrom(1)),
  costPerItem: v.optional(wholeFrom(0)),
  maxConcurrentCalls: v.optional(wholeFrom(1)),
  countTokens: v.optional(v.function("must be a function")),
};

/** Ends a wait when it is raised. */
export const signal: v.GenericSchema<AbortSignal> = v.custom<AbortSignal>(
  (value) =>
    typeof (value as Partial<AbortSignal> | null)?.aborted === "boolean" &&
    typeof (value as AbortSignal).addEventListener === "function",
  "must be an AbortSignal",
);

/** A function of the caller's. */
export function aFunction<Wanted>(): v.GenericSchema<Wanted> {
  return v.custom<Wanted>((value) => typeof value === "function", "must be a function");
}

/** The longest that a timer of JavaScript can be. */
export const MAX_TIMER_MS: number = 2 ** 31 - 1;

/** What is said of a name that is not known. */
export const UNKNOWN = "is not an option";
/** What a group of options must be. */
export const GROUP = "must be an object";

/** A name is shown up to here. */
const NAME_LENGTH = 60;
/** Where a name is not known, a group of so few is listed. */
const FEW = 6;

/** @throws {EmbedqError} `ERR_OPTION_INVALID` that names the option, its value and what is wanted. */
export function check<const Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
  prefix: string,
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  // What is missing may stand there under the name that is not known.
  const issue = result.issues.find(isUnknown) ?? result.issues[0];
  const path = v.getDotPath(issue);
  if (path === null) {
    throw new EmbedqError(
      "ERR_OPTION_INVALID",
      `Cannot use the options as they must be an object: they are ${kindOf(value)}`,
    );
  }
  const group = entriesAround(schema, issue);
  if (isUnknown(issue)) throw unknown(prefix + path, nameIn(issue), group);
  const wanted = isMissing(issue) ? wantedOf(group[nameIn(issue)]) : issue.message;
  const full = /^(must|is)/.test(wanted) ? wanted : `is wrong: ${wanted}`;
  throw invalid(prefix + path, issue.input, full);
}

/** The error for one option. */
export function invalid(path: string, value: unknown, wanted: string): EmbedqError {
  return new EmbedqError(
    "ERR_OPTION_INVALID",
    `Cannot use the option \`${path}\` as it ${wanted}: it is ${show(value)}`,
  );
}

/** A value in a message: only plain ones are shown, and no part of a URL that may be a password. */
export function show(value: unknown): string {
  if (typeof value === "string") {
    return JSON.stringify(value.replace(/\/\/[^/\s]*@/g, "//***@").slice(0, 60));
  }
  if (value === undefined) return "missing";
  if (typeof value === "object" && value !== null)
    return Array.isArray(value) ? "a list" : "an object";
  return typeof value === "function" ? "a function" : String(value);
}

/** A value of which nothing may be shown where it is a text. */
export function kindOf(value: unknown): string {
  return typeof value === "string" ? "a text" : show(value);
}

/** How an address begins, as the end of a message: what follows may be a credential. */
export function beginningOf(address: string): string {
  const scheme = /^[a-z][a-z0-9+.-]{0,20}:\/\//i.exec(address)?.[0];
  return scheme === undefined ? "it has no such beginning" : `it begins with ${scheme}`;
}

type Issue = v.BaseIssue<unknown>;
type Entries = Readonly<Record<string, v.GenericSchema | undefined>>;

function isUnknown(issue: Issue): boolean {
  return issue.expected === "never";
}

function isMissing(issue: Issue): boolean {
  return issue.path?.at(-1)?.origin === "key";
}

function nameIn(issue: Issue): string {
  return String(issue.path?.at(-1)?.key);
}

/** The options among which the one stands that an issue is about. */
function entriesAround(schema: v.GenericSchema, issue: Issue): Entries {
  let entries = entriesOf(schema);
  for (const { key } of issue.path?.slice(0, -1) ?? []) entries = entriesOf(entries[String(key)]);
  return entries;
}

function entriesOf(schema: unknown): Entries {
  const { entries, wrapped } = (schema ?? {}) as { entries?: Entries; wrapped?: unknown };
  return entries ?? (wrapped === undefined ? {} : entriesOf(wrapped));
}

/** What a schema says where nothing is given. */
function wantedOf(schema: v.GenericSchema | undefined): string {
  const issues = schema === undefined ? undefined : v.safeParse(schema, undefined).issues;
  return issues?.[0]?.message ?? "must be given";
}

function unknown(path: string, name: string, group: Entries): EmbedqError {
  const known = Object.keys(group).filter((one) => !isNever(group[one]));
  const meant = nearest(name.slice(0, NAME_LENGTH), known);
  const list = known.map((one) => `\`${one}\``).join(", ");
  let hint = meant === undefined ? "" : `: did you mean \`${meant}\`?`;
  if (meant === undefined && known.length <= FEW) hint = `: there are ${list}`;
  return new EmbedqError(
    "ERR_OPTION_INVALID",
    `Cannot use the option \`${path.slice(0, NAME_LENGTH)}\` as it ${UNKNOWN}${hint}`,
  );
}

/** An option that is named only to be refused. */
function isNever(schema: unknown): boolean {
  return (schema as { wrapped?: { type?: unknown } } | undefined)?.wrapped?.type === "never";
}
