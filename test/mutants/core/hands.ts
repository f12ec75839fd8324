// Whose it is, how often it was tried, and how often it was lost.

import type { Mutant } from "../mutant.ts";

const CLAIM = "redis/scripts/claim.ts";
const LEASE = "redis/scripts/lease.ts";
const SETTLE = "redis/scripts/settle.ts";

export const HANDS: readonly Mutant[] = [
  {
    name: "renewal without ownership",
    file: LEASE,
    from: "if ownerOf(ARGV[i]) == ARGV[1] then",
    to: "if true then",
    caughtBy: {
      file: "protocol/renewal",
      test: "a former owner's renewal does not steal the entry back",
    },
  },
  {
    name: "a return without ownership",
    file: SETTLE,
    from: "if owner ~= me then",
    to: "if not owner then",
    caughtBy: {
      file: "protocol/renewal",
      test: "a former owner's failure neither parks the entry nor spends an attempt",
    },
  },
  {
    name: "a lost lease is written all the same",
    file: "flow/claim.ts",
    from: "|| versions[i] === job.version",
    to: "|| true",
    caughtBy: {
      file: "protocol/renewal",
      test: "a worker that lost its lease writes only what the queue still wants",
    },
  },
  {
    name: "a delivery is not taken off at a return",
    file: SETTLE,
    from: "math.max(0, deliveries - 1)",
    to: "deliveries",
    caughtBy: {
      file: "protocol/returns",
      test: "ten outages in a row never make a text a suspect and never spend an attempt",
    },
  },
  {
    name: "an outage spends an attempt",
    file: "endings.ts",
    from: 'spendsAttempt: status === "failed",',
    to: "spendsAttempt: true,",
    caughtBy: {
      file: "protocol/returns",
      test: "more outages than attempts, in a worker, cost no attempt",
    },
  },
  {
    name: "a release lets go of a later delivery too",
    file: "flow/claim.ts",
    from: "if (this.#held.get(job.entryId)?.job === job) this.#held.delete",
    to: "this.#held.delete",
    caughtBy: {
      file: "protocol/returns",
      test: "a claim that ends does not let go of a text that came back and was claimed anew",
    },
  },
  {
    name: "suspects do not go alone",
    file: CLAIM,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the text of src/ has it so
    from: "elseif lost >= ${SOLO_AFTER} and not (isAlone and count == 0) then",
    to: "elseif false then",
    caughtBy: {
      file: "protocol/crashes",
      test: "after two lost deliveries a text goes only to a worker with nothing in flight, and alone",
    },
  },
  {
    name: "crashes are never enough",
    file: CLAIM,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the text of src/ has it so
    from: "or lost >= ${GIVE_UP_AFTER} then",
    to: "then",
    caughtBy: {
      file: "protocol/crashes",
      test: "a text is given up after four lost deliveries, alone both last times",
    },
  },
  {
    name: "a lost claim is not adopted",
    file: "flow/claim.ts",
    from: "this.#mustAdopt = true;",
    to: "this.#mustAdopt = false;",
    caughtBy: {
      file: "protocol/adopt",
      test: "a claim whose reply was lost is adopted, and no delivery is counted for it",
    },
  },
];
