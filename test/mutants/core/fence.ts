// What the destination lets in.

import type { Mutant } from "../mutant.ts";

const DESTINATION = "redis/scripts/destination.ts";

export const FENCE: readonly Mutant[] = [
  {
    name: "the fence is removed",
    file: DESTINATION,
    from: "elseif held > version then word = 'newer'",
    to: "elseif false then word = 'newer'",
    caughtBy: { file: "protocol/fence", test: "an older write never overwrites a newer one" },
  },
  {
    name: "a dead mark replaces a vector of the same version",
    file: DESTINATION,
    from: "elseif held == version and op ~= 'embed' then word = 'same'",
    to: "elseif false then word = 'same'",
    caughtBy: {
      file: "protocol/fence",
      test: "a dead mark or a zero never replaces a vector of the same version",
    },
  },
  {
    name: "a vector does not replace a dead mark",
    file: DESTINATION,
    from: "elseif held == version and op ~= 'embed' then word = 'same'",
    to: "elseif held == version then word = 'same'",
    caughtBy: {
      file: "protocol/fence",
      test: "a vector replaces a dead mark of the same version, and may be written again",
    },
  },
  {
    name: "a damaged version counts",
    file: DESTINATION,
    from: "return version <= aheadUs and version or 0",
    to: "return version",
    caughtBy: { file: "protocol/fence", test: "a damaged stored version counts as none" },
  },
  {
    name: "touch does not look at the text",
    file: DESTINATION,
    from: "return stored[1] == digest and",
    to: "return",
    caughtBy: {
      file: "protocol/unchanged",
      test: "a text that stops being the stored one before the touch is enqueued for real",
    },
  },
];
