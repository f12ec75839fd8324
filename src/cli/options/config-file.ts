// The config file: one JSON object with any of the shared options.

import { readFile } from "node:fs/promises";
import * as v from "valibot";
import { messageOf, UsageError } from "../errors.ts";
import { SHARED } from "./shared.ts";

/** Looked for in the present folder where nobody names a file. */
const USUAL_CONFIG = "embedq.config.json";

export interface ConfigFile {
  readonly path: string;
  readonly values: Readonly<Record<string, unknown>>;
}

const entries = Object.fromEntries(
  Object.entries(SHARED).map(([name, { schema }]) => [name, v.optional(schema)]),
);
const schema = v.strictObject(
  { ...entries, $schema: v.optional(v.string()) },
  "must be an object of options",
);

/**
 * @param named The file that a flag or the environment names; undefined to look for the usual one.
 * @returns Undefined where none is named and none is there.
 * @throws {UsageError} With the file, the option and what is wanted.
 */
export async function readConfigFile(named: string | undefined): Promise<ConfigFile | undefined> {
  const path = named ?? USUAL_CONFIG;
  let json: string;
  try {
    json = await readFile(path, "utf8");
  } catch (error) {
    const isAbsent = (error as { code?: unknown }).code === "ENOENT";
    if (named === undefined && isAbsent) return undefined;
    throw new UsageError(`Cannot read the config file ${path}: ${messageOf(error)}`);
  }
  return { path, values: checked(path, parse(path, json.replace(/^\uFEFF/, ""))) };
}

function parse(path: string, json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    // What the engines say of it shows the text, of which a password may be part.
    const [, position] = / position (\d+)/.exec(messageOf(error)) ?? [];
    const line = json.slice(0, Number(position ?? 0)).split("\n").length;
    const place = position === undefined ? "" : `; see line ${line}`;
    throw new UsageError(
      `Cannot read the config file ${path} as it must be JSON, without comments${place}`,
    );
  }
}

/** Checked as a whole, so that a fault is found also where the command at hand does not use it. */
function checked(path: string, value: unknown): Readonly<Record<string, unknown>> {
  // To valibot a list is an object too.
  const result = v.safeParse(schema, Array.isArray(value) ? undefined : value);
  if (result.success) return value as Record<string, unknown>;
  const [issue] = result.issues;
  const name = v.getDotPath(issue);
  if (name === null) throw new UsageError(`${path} ${issue.message}`);
  if (issue.expected === "never") {
    const known = Object.keys(SHARED).join(", ");
    throw new UsageError(`${path}: "${name}" is not an option; there are ${known}`);
  }
  const isSecret = SHARED[name as keyof typeof SHARED]?.isSecret === true;
  const shown = isSecret ? "" : `: it is ${JSON.stringify(issue.input)?.slice(0, 80)}`;
  throw new UsageError(`${path}: "${name}" ${issue.message}${shown}`);
}
