// Write, then settle; mark, then letter; zero, then settle.

import type { Mutant } from "../mutant.ts";

export const ORDER: readonly Mutant[] = [
  {
    name: "settle before write",
    file: "endings.ts",
    from: "let left = embedded.filter(({ job }) => wanted.has(job));",
    to: "let left = embedded.filter(({ job }) => wanted.has(job)); await this.settle(left.map(({ job }) => job));",
    caughtBy: {
      file: "protocol/order",
      test: "a text stays outstanding while Redis refuses its vector, and is stored without a second call",
    },
  },
  {
    name: "a vector that was stored before a crash is bought again",
    file: "pipeline.ts",
    from: "deliveries > 1)",
    to: "deliveries > 99)",
    caughtBy: {
      file: "protocol/order",
      test: "a crash between write and settle costs no second provider call",
    },
  },
  {
    name: "letter before mark",
    file: "endings.ts",
    from: 'const marks = await this.#steps.persist("mark a dead text", () =>',
    to: 'await giveUpJobs(session.link, left.map(({ job, reason }) => ({ ...job, reason }))); const marks = await this.#steps.persist("mark a dead text", () =>',
    caughtBy: {
      file: "protocol/giveup",
      test: "there is no letter before the destination is marked",
    },
  },
  {
    name: "a dead mark counts as a stored result",
    file: "flow/write.ts",
    from: '(version === job.version && status !== "dead")',
    to: "version === job.version",
    caughtBy: {
      file: "protocol/giveup",
      test: "a refused text whose worker died after the mark is tried again and gets its letter",
    },
  },
  {
    name: "blank clears first",
    file: "flow/accept.ts",
    from: "const results = await writeDestinations(",
    to: 'await runSettle(stage.link, spaceTag(space), accepted.map((a, i) => ({ ...a, key: items[i]?.key ?? "" }))); const results = await writeDestinations(',
    caughtBy: {
      file: "protocol/blank",
      test: "while the zero of a blank text is not written, the key's older work is still outstanding",
    },
  },
  {
    name: "what was sent ahead of a repeated chunk is not repeated",
    file: "flow/enqueue.ts",
    from: "reply === undefined || isBehind)) {",
    to: "reply === undefined)) {",
    caughtBy: {
      file: "protocol/chunks",
      test: "where the call of a chunk never arrives, what was sent after it is sent again too",
    },
  },
  {
    name: "a text enqueued after all does not count as repeated",
    file: "flow/enqueue.ts",
    from: "isRepeated: done.isForced",
    to: "isRepeated: false",
    caughtBy: {
      file: "protocol/chunks",
      test: "a text that must be enqueued after all does not come after a newer one of a later chunk",
    },
  },
];
