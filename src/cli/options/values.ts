// From the sources to the values: a flag counts more than the environment, that more than the config
// file, that more than what an option is by itself. What is wrong is reported with its place.

import * as v from "valibot";
import { UsageError } from "../errors.ts";
import type { ConfigFile } from "./config-file.ts";
import { environmentNames, type OptionSpec, type Specs, type Values } from "./spec.ts";

/** Where values come from. */
export interface Sources {
  /** As commander has read them. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly file: ConfigFile | undefined;
}

/** @throws {UsageError} That names the place, the value and what is wanted. */
export function readOptions<const S extends Specs>(specs: S, sources: Sources): Values<S> {
  const values = Object.entries(specs).map(([name, spec]) => [name, resolve(name, spec, sources)]);
  return Object.fromEntries(values) as Values<S>;
}

function resolve(name: string, spec: OptionSpec<unknown>, sources: Sources): unknown {
  const found = find(name, spec, sources);
  if (found === undefined) return spec.fallback;
  const result = v.safeParse(spec.schema, found.value);
  if (result.success) return result.output;
  const shown = spec.isSecret ? "" : `: it is ${JSON.stringify(found.value)?.slice(0, 80)}`;
  throw new UsageError(`${found.place} ${result.issues[0].message}${shown}`);
}

function find(
  name: string,
  { flags, isShared }: OptionSpec<unknown>,
  sources: Sources,
): { value: unknown; place: string } | undefined {
  const flag = sources.flags[name];
  if (flag !== undefined) return { value: flag, place: flags.split(" ", 1)[0] ?? name };
  if (!isShared) return undefined;
  for (const place of environmentNames(name)) {
    const value = sources.env[place];
    if (value !== undefined && value !== "") return { value, place };
  }
  const { file } = sources;
  const value = file?.values[name];
  return value === undefined ? undefined : { value, place: `${file?.path}: "${name}"` };
}
