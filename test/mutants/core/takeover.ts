// What is taken over from the module: which text of a key is the newest, and nothing twice.

import type { Mutant } from "../mutant.ts";

const TAKEOVER = "redis/scripts/takeover.ts";

export const TAKEOVERS: readonly Mutant[] = [
  {
    name: "an orphan of our own has the time of its claim",
    file: TAKEOVER,
    from: "if isOrphan and claimedAt == tonumber(score) then since = earlier end",
    to: "",
    caughtBy: {
      file: "takeover/crash",
      test: "a text that a crash left claimed twice still gives way to what embedq was given in between",
    },
  },
  {
    name: "the module's tracking is not asked for a newer text",
    file: TAKEOVER,
    from: "if newest and newest ~= member and",
    to: "if false and",
    caughtBy: {
      file: "takeover/story",
      test: "a text that the module has a newer one of is dropped, wherever the newer one is",
    },
  },
  {
    name: "a claim that is sent twice has lost its texts",
    file: TAKEOVER,
    from: "elseif owner == ARGV[3] and scoreIn(INFLIGHT, member) == claimedAt then",
    to: "elseif false then",
    caughtBy: {
      file: "takeover/crash",
      test: "a claim whose reply was lost is known as ours when it is sent again",
    },
  },
  {
    name: "a release forgets the tracking of a newer enqueue of the same text",
    file: TAKEOVER,
    from: "if (not newest or newest == member) and not scoreIn(PENDING, member) then",
    to: "if true then",
    caughtBy: {
      file: "takeover/crash",
      test: "the tracking of what the module enqueued meanwhile is left to it",
    },
  },
  {
    name: "the module's clock is believed when it is ahead",
    file: "model/takeover.ts",
    from: "Math.max(1, Math.min(us, latest))",
    to: "Math.max(1, us)",
    caughtBy: {
      file: "takeover/newest",
      test: "a module's clock that is ahead takes nothing from what embedq is given afterwards",
    },
  },
];
