// The one place that reads environment variables, on every runtime, and only when it is asked.

import { invalid } from "../model/check.ts";

interface Runtimes {
  readonly process?: { readonly env?: Readonly<Record<string, string | undefined>> };
}

/** The variable's value; undefined where it is unset or empty, or the runtime does not let us read it. */
function environment(name: string): string | undefined {
  try {
    const value = (globalThis as Runtimes).process?.env?.[name];
    return value === "" ? undefined : value;
  } catch {
    // Deno without --allow-env: as if it was unset, which the caller reports by its name.
    return undefined;
  }
}

/**
 * The key that was given, or that of the first of these variables that is set.
 *
 * @throws {EmbedqError} `ERR_OPTION_INVALID` that names the variables.
 */
export function keyFrom(given: string | undefined, ...variables: readonly string[]): string {
  if (given !== undefined) return given;
  for (const variable of variables) {
    const value = environment(variable);
    if (value !== undefined) return value;
  }
  const wanted = `must be given, or stand in the environment variable ${variables.join(" or ")}`;
  throw invalid("apiKey", undefined, wanted);
}
