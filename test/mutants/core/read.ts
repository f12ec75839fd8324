// Texts that were read at one moment and are enqueued at another.

import type { Mutant } from "../mutant.ts";

const ENQUEUE = "redis/scripts/enqueue.ts";

export const READ: readonly Mutant[] = [
  {
    name: "what was read takes the place of what was enqueued after the reading",
    file: ENQUEUE,
    from: "elseif reserved and math.max(floor, live and live.version or 0) >= reserved then",
    to: "elseif false then",
    caughtBy: {
      file: "protocol/reserved",
      test: "a text that was enqueued after the reservation and waits is not replaced",
    },
  },
  {
    name: "what was read does not look at what is stored",
    file: ENQUEUE,
    from: "elseif reserved and math.max(floor, live and live.version or 0) >= reserved then",
    to: "elseif reserved and live and live.version >= reserved then",
    caughtBy: {
      file: "protocol/reserved",
      test: "a text that was enqueued after the reservation and is stored by now is not replaced",
    },
  },
  {
    name: "what was read gets a version of its own",
    file: ENQUEUE,
    from: "if reserved then return reserved end",
    to: "",
    caughtBy: {
      file: "protocol/reserved",
      test: "a text that is stored between the look and the write is kept by the fence",
    },
  },
  {
    name: "a page of what was read is drained whole",
    file: "flow/enqueue.ts",
    from: "const order = { earlierEntries: 0, isLastChunk: false, isForced: false };",
    to: "const order = { earlierEntries: 0, isLastChunk: true, isForced: false };",
    caughtBy: { file: "protocol/reserved", test: "only full batches become due by it" },
  },
  {
    name: "a reservation is forgotten at once",
    file: "redis/scripts/reserve.ts",
    from: "redis.call('SET', CLOCK, version)",
    to: "",
    caughtBy: {
      file: "protocol/reserved",
      test: "a reserved version is larger than every one before, and smaller than every one after",
    },
  },
];
