// Checking what users pass in: the schemas that options are made of, and messages that name the
// option, the value found and the value wanted.

import * as v from "valibot";
import type { EmbedderLimits } from "./embedder.ts";
import { EmbedqError } from "./errors.ts";

/** A whole number in this range. */
export const wholeFrom = (
  minimum: number,
  maximum: number = Number.MAX_SAFE_INTEGER,
): v.GenericSchema<number> =>
  v.pipe(
    v.number(`must be a whole number from ${minimum}`),
    v.integer(`must be a whole number from ${minimum}`),
    v.minValue(minimum, `must be at least ${minimum}`),
    v.maxValue(maximum, `must be at most ${maximum}`),
  );

/** One of these words. */
export const oneOf = <const T extends readonly string[]>(
  ...values: T
): v.GenericSchema<T[number]> =>
  v.picklist(values, `must be one of ${values.map((value) => `"${value}"`).join(", ")}`);

/** A string of this form. */
export const text = (pattern: RegExp, wanted: string): v.GenericSchema<string> =>
  v.pipe(v.string(`must be ${wanted}`), v.regex(pattern, `must be ${wanted}`));

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

/** The longest that a timer of JavaScript can be. */
export const MAX_TIMER_MS: number = 2 ** 31 - 1;

/** What strictObject says of a name that it does not know. */
export const UNKNOWN = "is not an option";
/** What a group of options may hold. */
export const GROUP = "must be an object with options of this group only";

/** @throws {EmbedqError} `ERR_OPTION_INVALID` that names the option, its value and what is wanted. */
export function check<const Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
  prefix: string,
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = prefix + (v.getDotPath(issue) ?? "options");
  if (issue.message === UNKNOWN) {
    throw new EmbedqError(
      "ERR_OPTION_INVALID",
      `Cannot use the option \`${path}\` as it ${UNKNOWN}`,
    );
  }
  throw invalid(
    path,
    issue.input,
    /^(must|is)/.test(issue.message) ? issue.message : `is wrong: ${issue.message}`,
  );
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
  if (typeof value === "object" && value !== null)
    return Array.isArray(value) ? "a list" : "an object";
  return typeof value === "function" ? "a function" : String(value);
}
