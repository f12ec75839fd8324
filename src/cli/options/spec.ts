// What an option of the command line is: how it is written, what it may be, and what it is where
// nobody gives it.

import type * as v from "valibot";

/** One option. `T` is what a command gets of it. */
export interface OptionSpec<T> {
  /** As commander reads it, and help shows it: `--limit <count>`. */
  readonly flags: string;
  readonly description: string;
  /** Takes what a flag or the environment gives, a string, as well as what JSON gives. */
  readonly schema: v.GenericSchema<unknown, T>;
  readonly fallback: T;
  /** The fallback in words; undefined where there is none worth showing. */
  readonly shownFallback: string | undefined;
  /** Whether the environment and the config file may give it too. */
  readonly isShared: boolean;
  /** Whether its value may hold a credential and is never shown. */
  readonly isSecret: boolean;
  /** The heading that help shows it under; undefined for that of the command's own. */
  readonly group?: string | undefined;
  /** Whether it may be given several times; its schema then takes a list. @default false */
  readonly isRepeated?: boolean;
}

/** Options by the name that a command knows them by: the flag in camel case. */
export type Specs = Readonly<Record<string, OptionSpec<unknown>>>;

/** The options that give these values. */
export type SpecsOf<T> = { readonly [Name in keyof T]: OptionSpec<T[Name]> };

/** What a command gets of its options. */
export type Values<S extends Specs> = {
  readonly [Name in keyof S]: S[Name] extends OptionSpec<infer T> ? T : never;
};

/** An option of one command, which only a flag gives; undefined where it is left out. */
export function option<T>(
  flags: string,
  description: string,
  schema: v.GenericSchema<unknown, T>,
): OptionSpec<T | undefined> {
  const rest = { fallback: undefined, shownFallback: undefined, isShared: false, isSecret: false };
  return { flags, description, schema, ...rest };
}

/** The same with a value that it has where it is left out. */
export function optionWith<T>(
  flags: string,
  description: string,
  schema: v.GenericSchema<unknown, T>,
  fallback: T,
  shownFallback: string | undefined = String(fallback),
): OptionSpec<T> {
  return { flags, description, schema, fallback, shownFallback, isShared: false, isSecret: false };
}

/** An option that the environment and the config file can give too. */
export function shared<T>(spec: OptionSpec<T>): OptionSpec<T> {
  return { ...spec, isShared: true };
}

/** The same option where it may be given several times. */
export function repeated<T>(spec: OptionSpec<T>): OptionSpec<T> {
  return { ...spec, isRepeated: true };
}

/** The same option where only a flag may give it, among the command's own. */
export function flagOnly<T>(spec: OptionSpec<T>): OptionSpec<T> {
  return { ...spec, isShared: false, group: undefined };
}

/** The same options under a heading of their own. */
export function inGroup<T>(group: string, specs: SpecsOf<T>): SpecsOf<T> {
  const entries = Object.entries<OptionSpec<unknown>>(specs);
  const grouped = entries.map(([name, spec]) => [name, { ...spec, group }]);
  return Object.fromEntries(grouped) as SpecsOf<T>;
}

/** Where in the environment a shared option may stand, the first that is set counts. */
export function environmentNames(name: string): readonly string[] {
  const own = `EMBEDQ_${name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
  return name === "redis" ? [own, "REDIS_URL"] : [own];
}
