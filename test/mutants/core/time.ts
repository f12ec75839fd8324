// When work is due, by which clock, and how long all stay away.

import type { Mutant } from "../mutant.ts";

const CLAIM = "redis/scripts/claim.ts";
const ENQUEUE = "redis/scripts/enqueue.ts";
const SETTINGS = "redis/scripts/settings.ts";

export const TIME: readonly Mutant[] = [
  {
    name: "the watermark is not set at the crossing",
    file: ENQUEUE,
    from: "raiseWatermark(added[math.max(1, math.min(#added, crossing - before))], 'size')",
    to: "",
    caughtBy: {
      file: "protocol/triggers",
      test: "a batch that was due stays due while it is taken in parts",
    },
  },
  {
    name: "the timer never rings",
    file: CLAIM,
    from: "if ageMs >= s.flushIntervalMs or ageMs < -1000 then",
    to: "if ageMs < -1000 then",
    caughtBy: {
      file: "protocol/triggers",
      test: "the timer goes by the oldest waiting text, and then all that waits is due",
    },
  },
  {
    name: "partial batches are taken without a trigger",
    file: CLAIM,
    from: "if notAfter(first[1], watermark()) then",
    to: "if true then",
    caughtBy: {
      file: "protocol/triggers",
      test: "a flush covers what was there and nothing later",
    },
  },
  {
    name: "the last version given is not looked at",
    file: ENQUEUE,
    from: "local clock = tonumber(redis.call('GET', CLOCK) or '0') or 0",
    to: "local clock = 0",
    caughtBy: {
      file: "protocol/versions",
      test: "versions go on from the last one given when the server's clock steps back",
    },
  },
  {
    name: "a version ahead of the clock is forgotten",
    file: "redis/scripts/script.ts",
    from: "redis.call('HSET', SETTINGS, 'ahead', digits(version))",
    to: "",
    caughtBy: {
      file: "protocol/versions",
      test: "two calls that read the same version ahead of the clock give two versions, also after a settle between",
    },
  },
  {
    name: "a new version is not above the stored one",
    file: ENQUEUE,
    from: "math.max(clock, floor + 1, ",
    to: "math.max(clock, ",
    caughtBy: {
      file: "protocol/versions",
      test: "a text is newer than what its destination holds when the queue's keys were lost and the clock stepped back",
    },
  },
  {
    name: "a probe keeps nobody away",
    file: CLAIM,
    from: "redis.call('SET', COOLDOWN, digits(nowUs() / 1000 + s.leaseMs)",
    to: "redis.call('SET', COOLDOWN, digits(nowUs() / 1000 - 1)",
    caughtBy: {
      file: "protocol/cooldown",
      test: "the first claim after the pause is the probe, and the others sleep",
    },
  },
  {
    name: "a new lease moves the backoffs",
    file: SETTINGS,
    from: "local longer = leaseMs - settings().leaseMs",
    to: "local longer = 0",
    caughtBy: {
      file: "protocol/configure",
      test: "a lease changed to 600000 ms keeps the backoff of parked entries",
    },
  },
];
