// Whose fault a failure is: a text's, the provider's, or that of a limit.

import type { Mutant } from "../mutant.ts";

const EVIDENCE = "model/evidence.ts";
const TEXTS = "fault/texts";
const PROVIDER = "fault/provider";

export const FAULTS: readonly Mutant[] = [
  {
    name: "any number of texts may be charged in a row",
    file: EVIDENCE,
    from: "return this.#charges <= this.#maxCharges;",
    to: "return true;",
    caughtBy: {
      file: PROVIDER,
      test: "a provider that gives vectors of another size pauses its worker, and the backlog is embedded once it is mended",
    },
  },
  {
    name: "a provider at fault is tried with the same texts again",
    file: EVIDENCE,
    from: "doubtProvider(): void {\n    this.#setbacks++;",
    to: "doubtProvider(): void {",
    caughtBy: {
      file: PROVIDER,
      test: "while it is at fault each pause ends with a small call, and at most a harmless one",
    },
  },
  {
    name: "a search that was cut short begins anew",
    file: "flow/embed.ts",
    from: "this.#stage.evidence.failedTogether(jobsOf(this.#search));",
    to: "",
    caughtBy: {
      file: TEXTS,
      test: "the search for a refused text, at place 0, goes on where a rate limit cuts it short",
    },
  },
  {
    name: "no text is ever at fault for an outage",
    file: EVIDENCE,
    from: ">= CONVICTED_AFTER",
    to: ">= Infinity",
    caughtBy: {
      file: TEXTS,
      test: "one text on which the provider fails with 500, at place 0, does not hold up the others",
    },
  },
  {
    name: "what failed together is tried together again",
    file: EVIDENCE,
    from: "if (this.#records.size === 0) return { others: jobs, halves: [] };",
    to: "return { others: jobs, halves: [] };",
    caughtBy: {
      file: TEXTS,
      test: "the search for a refused text, at place 0, goes on where a rate limit cuts it short",
    },
  },
  {
    name: "a lowered limit of calls is one of texts",
    file: "plan.ts",
    from: "const plan = formBatches(others, limits.current, onOversize, limits.stated);",
    to: "const plan = formBatches(others, limits.current, onOversize);",
    caughtBy: {
      file: "batches/too-large",
      test: 'a limit that has become lower concerns calls of several texts: a longer one goes alone and whole, with onOversize "truncate"',
    },
  },
  {
    name: "vectors of cut texts are kept in the cache",
    file: "vector-cache.ts",
    from: 'if (result.status !== "embedded" || result.sent !== result.job.text) continue;',
    to: 'if (result.status !== "embedded") continue;',
    caughtBy: {
      file: "story/cache",
      test: "the vector of a text that was cut is not kept for others, who may want it whole",
    },
  },
];
