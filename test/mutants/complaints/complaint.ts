// How a mutant names the complaint that it brings back.

import type { Mutant } from "../mutant.ts";

/** A mutant that the test of one complaint catches. */
export function complaint(
  file: string,
  test: string,
  name: string,
  [source, from, to]: readonly [string, string, string],
): Mutant {
  const [number] = file.split("-");
  return {
    name: `${Number(number)}: ${name}`,
    file: source,
    from,
    to,
    caughtBy: { file: `complaints/${file}`, test: `complaint ${Number(number)}: ${test}` },
  };
}
