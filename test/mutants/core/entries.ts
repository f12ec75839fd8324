// One live entry for a key, and what it stands for.

import type { Mutant } from "../mutant.ts";

const CLAIM = "redis/scripts/claim.ts";
const ENQUEUE = "redis/scripts/enqueue.ts";
const SETTLE = "redis/scripts/settle.ts";

export const ENTRIES: readonly Mutant[] = [
  {
    name: "settle does not compare the version",
    file: SETTLE,
    from: "if isAsClaimed or live and live.version == tonumber(version) then",
    to: "if isAsClaimed or live then",
    caughtBy: {
      file: "protocol/settle",
      test: "a late settle of an older version leaves the newer work",
    },
  },
  {
    name: "giving up does not compare the version",
    file: SETTLE,
    from: "if live and live.version == version then\n    local letter",
    to: "if live then\n    local letter",
    caughtBy: {
      file: "protocol/giveup",
      test: "a superseded text gets no letter, and its mark does not touch the newer vector",
    },
  },
  {
    name: "dedup is not compared at the claim",
    file: CLAIM,
    from: "if live and live.id == id then return live end",
    to: "if live then return live end",
    caughtBy: {
      file: "protocol/live-entry",
      test: "an entry that was superseded in flight is never handed out again",
    },
  },
  {
    name: "a text in flight is replaced in place",
    file: ENQUEUE,
    from: "if hasEntry and not notAfter(live.id, delivered) then",
    to: "if hasEntry then",
    caughtBy: {
      file: "protocol/settle",
      test: "a settle of a superseded entry takes that entry and no other away",
    },
  },
  {
    name: "another text is taken for the same",
    file: ENQUEUE,
    from: "and textOf(live) == text then",
    to: "then",
    caughtBy: {
      file: "protocol/live-entry",
      test: "a newer text of a waiting key takes the place of the older one",
    },
  },
  {
    name: "enqueue forgets to clear retries",
    file: ENQUEUE,
    from: "if hasRetries then",
    to: "if false then",
    caughtBy: {
      file: "protocol/live-entry",
      test: "attempts belong to the text: a newer one begins with none",
    },
  },
  {
    name: "unchanged is skipped without a look at outstanding work",
    file: ENQUEUE,
    from: "elseif not live and mode == '1' then",
    to: "elseif mode == '1' then",
    caughtBy: {
      file: "protocol/unchanged",
      test: "the stored text is not skipped while another one waits, and wins",
    },
  },
  {
    name: "unchanged mints no version",
    file: ENQUEUE,
    from: "kind, version = 'touch', nextVersion(key, floor, live)",
    to: "kind, version = 'touch', floor",
    caughtBy: {
      file: "protocol/unchanged",
      test: "an unchanged text is skipped with a new version, so that a cancelled one in flight cannot overwrite it",
    },
  },
];
