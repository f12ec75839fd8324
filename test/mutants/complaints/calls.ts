// What keeps calls full, within limits and calm, taken away.

import type { Mutant } from "../mutant.ts";
import { complaint } from "./complaint.ts";

const BATCH = "flow/batch.ts";
const CLAIM = "redis/scripts/claim.ts";
const EMBED = "flow/embed.ts";
const GEMINI = "providers/gemini.ts";
const MODELS = "providers/models.ts";
const REFUSALS = "model/refusals.ts";

/** Batches: that there are any, how large they are, and what one bad text does to them. */
export const BATCHES: readonly Mutant[] = [
  complaint(
    "01-batches",
    "texts enqueued one by one go out in full batches, and the rest by the timer",
    "a claim takes one text",
    [CLAIM, "max = math.min(max, s.maxBatchSize)", "max = 1"],
  ),
  complaint(
    "01-batches",
    "a batch is as large as tokens and bytes allow, whichever is met first",
    "bytes are not counted",
    [BATCH, "batch.bytes + bytes <= maxBytes;", "true;"],
  ),
  ...(
    [
      ["texts", "maxItems: 2048", "maxItems: 4096"],
      ["tokens", "maxTokens: 300_000", "maxTokens: 600_000"],
    ] as const
  ).map(([what, from, to]) =>
    complaint(
      "02-limits",
      "no call to OpenAI has more than 2,048 texts or 300,000 tokens",
      `OpenAI's limit of ${what} is not known`,
      [MODELS, from, to],
    ),
  ),
  ...(
    [
      ["texts", MODELS, "maxItems: 100,", "maxItems: 250,"],
      ["bytes", GEMINI, "const MAX_BODY_BYTES = 4_194_304;", "const MAX_BODY_BYTES = 8_388_608;"],
    ] as const
  ).map(([what, file, from, to]) =>
    complaint(
      "02-limits",
      "no call to Gemini has more than 100 texts or 4 MiB, whatever JSON makes of them",
      `Gemini's limit of ${what} is not known`,
      [file, from, to],
    ),
  ),
  complaint(
    "02-limits",
    "a server that takes 10 texts, as DashScope and tells nobody gets smaller calls, and nothing is lost",
    "a call of too many texts counts as a bad text",
    [REFUSALS, "/\\bbatch size\\b.{0,60}(>|\\blarger|\\bgreater|\\bexceed|\\bmax|\\blimit)/i,", ""],
  ),
  complaint(
    "02-limits",
    "a server that takes 100 tokens and tells nobody gets smaller calls, and nothing is lost",
    "the lower limit is not remembered",
    ["limits.ts", "this.#limits = { ...limits, [NAMES[measure]]: half };", ""],
  ),
  complaint(
    "02-limits",
    "a server that takes a body of 600 bytes, as a gateway in front and tells nobody gets smaller calls, and nothing is lost",
    "413 counts as a bad text",
    [REFUSALS, '{ of: [413], kind: "rejected", exceeded: "bytes" },', ""],
  ),
  complaint(
    "03-poison",
    "the text that OpenAI refuses, at 1023 of 2,048, is dead alone, after at most 23 further calls",
    "a refusal is every text's",
    [
      EMBED,
      "} else if (slots.length === 1) {",
      '} else if (slots.length === 1 || trouble.kind === "rejected") {',
    ],
  ),
  complaint(
    "03-poison",
    "the text that OpenAI refuses, at 2047 of 2,048, is dead alone, after at most 23 further calls",
    "the bad text is looked for one by one",
    [EMBED, "const middle = Math.floor(slots.length / 2);", "const middle = 1;"],
  ),
  complaint(
    "03-poison",
    "the text that OpenAI refuses, at 0 of 2,048, is dead alone, after at most 23 further calls",
    "a refused text is charged and tried again",
    [
      EMBED,
      'await this.#charge(slots, kind === "rejected" ? "rejected" : "failed", error);',
      'await this.#charge(slots, "failed", error);',
    ],
  ),
];

/** Rates: what an outage costs, and what counts as a request. */
export const RATES: readonly Mutant[] = [
  complaint(
    "04-outages",
    "an outage of 503 costs no attempt, one call a cool-down for all workers, and ends by itself",
    "an outage spends an attempt",
    ["endings.ts", 'spendsAttempt: status === "failed",', "spendsAttempt: true,"],
  ),
  complaint(
    "04-outages",
    "an outage of 429 without a time costs no attempt, one call a cool-down for all workers, and ends by itself",
    "all workers probe",
    [
      CLAIM,
      "redis.call('SET', COOLDOWN, digits(nowUs() / 1000 + s.leaseMs)",
      "redis.call('SET', COOLDOWN, digits(nowUs() / 1000 - 1)",
    ],
  ),
  complaint(
    "04-outages",
    "an outage of 429 with Retry-After-Ms costs no attempt, one call a cool-down for all workers, and ends by itself",
    "429 counts as a failure",
    [REFUSALS, '{ of: [429], kind: "rateLimited" },', ""],
  ),
  complaint(
    "05-gemini-items",
    "two processes together never send more texts in a window than requests are allowed",
    "a call to Gemini counts as one request",
    [MODELS, "costPerItem: 1,", "costPerItem: 0,"],
  ),
  complaint(
    "05-gemini-items",
    "no call has more texts than the whole budget",
    "calls are not made to fit the budget",
    [
      "flow/budget.ts",
      "Math.max(1, Math.floor(least((window) => window.requests) / this.#costPerItem));",
      "Number.POSITIVE_INFINITY;",
    ],
  ),
];

/** Whose fault an outage is, and how long it lasts. */
export const OUTAGES: readonly Mutant[] = [
  {
    name: "a worker's own fault pauses all",
    file: "provider.ts",
    from: 'if (kind === "fatal" && scope === "worker") {',
    to: "if (false) {",
    caughtBy: {
      file: "outages/own-fault",
      test: "a worker that gets 401 pauses alone and says so, others go on, and it works again once it is let in",
    },
  },
  {
    name: "a worker at fault keeps the probe",
    file: "provider.ts",
    from: "if (isProbe) await returnProbe(link);",
    to: "",
    caughtBy: {
      file: "outages/own-fault",
      test: "a worker at fault that gets the probe of a shared pause leaves it to the next one",
    },
  },
  {
    name: "no credit is the texts' fault",
    file: REFUSALS,
    from: '{ of: [402], kind: "fatal", scope: "account" },',
    to: "",
    caughtBy: {
      file: "outages/account",
      test: "402 pauses all workers, costs one call a cool-down and no attempt, and ends by itself",
    },
  },
  complaint(
    "03-poison",
    'a refused text that reads "unknown model of the year", between "", decides nothing but that it is dead',
    "what a text says is heard as the provider's word",
    [REFUSALS, 'withoutTexts(message, texts, "…", MIN_DECIDING_BYTES)', "message"],
  ),
  {
    name: "a status that nobody knows condemns the texts",
    file: REFUSALS,
    from: '{ where: ({ status = 0 }) => status >= 400, kind: "fatal" },',
    to: '{ where: ({ status = 0 }) => status >= 400, kind: "rejected" },',
    caughtBy: {
      file: "outages/own-fault",
      test: "a worker that gets a status that nobody knows pauses alone and says so, others go on, and it works again once it is let in",
    },
  },
  {
    name: "a gateway's page condemns the texts",
    file: REFUSALS,
    from: "where: ({ statement }) => !statement.isForeign,",
    to: "",
    caughtBy: {
      file: "outages/own-fault",
      test: "a worker that gets a page with 400 pauses alone and says so, others go on, and it works again once it is let in",
    },
  },
  {
    name: "an error with status 200 is not seen",
    file: "providers/http.ts",
    from: "if (!isSuccess(status) || holdsError(body)) {",
    to: "if (!isSuccess(status)) {",
    caughtBy: {
      file: "outages/account",
      test: "OpenRouter's 402 with status 200 pauses all workers, costs one call a cool-down and no attempt, and ends by itself",
    },
  },
  {
    name: "waits of more than a minute are not kept to",
    file: "model/trouble.ts",
    from: "return Math.min(ms, MAX_PAUSE_MS);",
    to: "return ms > 60_000 ? undefined : ms;",
    caughtBy: {
      file: "outages/long-waits",
      test: "Retry-After in seconds is kept to by all workers",
    },
  },
];
