// What is counted, and what is kept to save calls.

import type { Mutant } from "../mutant.ts";

const CLAIM = "redis/scripts/claim.ts";

export const SAVINGS: readonly Mutant[] = [
  {
    name: "usage that was told once is forgotten",
    file: "model/usage.ts",
    from: "this.#taken = { ...this.#totals };",
    to: "this.#told = this.#taken; this.#taken = { ...this.#totals };",
    caughtBy: { file: "protocol/usage", test: "what a lost request carried is told again" },
  },
  {
    name: "what fills a batch up is why it was due",
    file: CLAIM,
    from: "if taken > 0 and reason == '' then reason = why end",
    to: "if taken > 0 then reason = why end",
    caughtBy: {
      file: "protocol/usage",
      test: "a batch that a retry begins is a retry, whatever fills it up",
    },
  },
  {
    name: "the figures of a worker outlive it",
    file: "redis/scripts/state.ts",
    from: "(not stays[worker] or",
    to: "(false or",
    caughtBy: {
      file: "protocol/usage",
      test: "a worker that leaves tells the rest; its own figures go with it, the sums stay",
    },
  },
  {
    name: "a foreign counter stays",
    file: "redis/scripts/script.ts",
    from: "elseif string.find(sum.err, 'not an integer') or",
    to: "elseif",
    caughtBy: {
      file: "protocol/usage",
      test: "a figure that is no number begins anew, and the claim says so",
    },
  },
  {
    name: "the cache takes any bytes of the right length",
    file: "flow/cache.ts",
    from: "const vector = found && checkVector(found, space.dimensions);",
    to: "const vector = found; void checkVector;",
    caughtBy: { file: "protocol/cache", test: "what is not finite is a miss" },
  },
  {
    name: "the cache writes over a key of another type",
    file: "redis/scripts/cache.ts",
    from: "if type == 'none' or type == 'string' then",
    to: "if true then",
    caughtBy: {
      file: "protocol/cache",
      test: "a key that somebody else uses for another type is left alone",
    },
  },
];
