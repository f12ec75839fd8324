// What the values of options may be. Each takes a string, as flags and the environment give it, and
// what JSON gives in a config file.

import * as v from "valibot";

/** A whole number in this range. */
export const count = (minimum = 1, maximum: number = Number.MAX_SAFE_INTEGER): Schema<number> => {
  const range = maximum === Number.MAX_SAFE_INTEGER ? "" : ` to ${maximum}`;
  return parsed(`must be a whole number from ${minimum}${range}`, (value) => {
    const number = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
    const fits = Number.isSafeInteger(number) && (number as number) >= minimum;
    return fits && (number as number) <= maximum ? (number as number) : undefined;
  });
};

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** A time with its unit, `500ms`, `30s`, `5m`, `2h` or `1d`; becomes milliseconds. */
export const duration: Schema<number> = parsed(
  "must be a time with its unit, like 500ms, 30s, 5m, 2h or 1d",
  (value) => {
    if (value === "0" || value === 0) return 0;
    const [, digits, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(String(value)) ?? [];
    return digits === undefined
      ? undefined
      : Math.round(Number(digits) * (UNIT_MS[unit ?? ""] ?? 1));
  },
);

/** The longest time that the timers of all runtimes take. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The time between two things that are done again and again. */
export const interval: Schema<number> = parsed(
  "must be a time with its unit up to 24 days, like 500ms, 30s or 5m",
  (value) => {
    const { success, output } = v.safeParse(duration, value);
    return success && output <= MAX_TIMER_MS ? output : undefined;
  },
);

/** One of these words. */
export const choice = <const T extends readonly string[]>(...words: T): Schema<T[number]> =>
  offering(
    words,
    parsed(`must be one of ${words.join(", ")}`, (value) => words.find((word) => word === value)),
  );

const offered = new WeakMap<object, readonly string[]>();

/** The schema, which now knows which words to offer, whatever else it may take. */
export function offering<T extends object>(words: readonly string[], schema: T): T {
  offered.set(schema, words);
  return schema;
}

/** The words that a value may be, or may be among others; none where they are not known. */
export function wordsOf(schema: object): readonly string[] {
  return offered.get(schema) ?? [];
}

/** Any text that is not empty; a schema of its own each time. */
export const aWord = (): Schema<string> =>
  parsed("must not be empty", (value) =>
    typeof value === "string" && value !== "" ? value : undefined,
  );

/** Any text that is not empty. */
export const word: Schema<string> = aWord();

/** Any texts that are not empty, one after the other. */
export const words: Schema<readonly string[]> = parsed("must not be empty", (value) =>
  Array.isArray(value) && value.every((each) => typeof each === "string" && each.trim() !== "")
    ? (value as string[])
    : undefined,
);

/** On or off: a bare flag, or a word. */
export const toggle: Schema<boolean> = parsed("must be true or false", (value) => {
  if (value === true || value === "true" || value === "1") return true;
  return value === false || value === "false" || value === "0" ? false : undefined;
});

/** The address of a Redis. */
export const redisUrl: Schema<string> = parsed(
  "must be a URL like redis://127.0.0.1:6379 or rediss://…",
  (value) =>
    typeof value === "string" && /^rediss?:\/\//.test(value) && URL.canParse(value)
      ? value
      : undefined,
);

type Schema<T> = v.GenericSchema<unknown, T>;

/** A schema that says one sentence about what is wrong. */
export function parsed<T>(
  wanted: string,
  parse: (value: unknown) => T | undefined,
): v.GenericSchema<unknown, T> {
  return v.pipe(
    v.unknown(),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const value = parse(dataset.value);
      if (value !== undefined) return value;
      addIssue({ message: wanted });
      return NEVER;
    }),
  );
}
