// The core broken on purpose, one line at a time, and the test that must notice each breakage.
// To add one: a text of src/ that occurs once in its file, what it becomes, and the test by file and name.

export interface Mutant {
  readonly name: string;
  /** File in src/. */
  readonly file: string;
  /** Text that occurs in the file exactly once. */
  readonly from: string;
  readonly to: string;
  readonly caughtBy: TestName;
}

export interface TestName {
  /** File in test/, without `.test.ts`. */
  readonly file: string;
  readonly test: string;
}

const CLAIM = "redis/scripts/claim.ts";
const DESTINATION = "redis/scripts/destination.ts";
const ENQUEUE = "redis/scripts/enqueue.ts";
const LEASE = "redis/scripts/lease.ts";
const SETTLE = "redis/scripts/settle.ts";
const SETTINGS = "redis/scripts/settings.ts";

/** What the destination lets in. */
const FENCE: readonly Mutant[] = [
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
    from: "elseif stored[2] ~= digest or",
    to: "elseif",
    caughtBy: {
      file: "protocol/unchanged",
      test: "a text that stops being the stored one before the touch is enqueued for real",
    },
  },
];

/** Write, then settle; mark, then letter; zero, then settle. */
const ORDER: readonly Mutant[] = [
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
    file: "flow/enqueue.ts",
    from: "const results = await writeDestinations(",
    to: 'await runSettle(stage.link, spaceTag(space), accepted.map((a, i) => ({ ...a, key: items[i]?.key ?? "" }))); const results = await writeDestinations(',
    caughtBy: {
      file: "protocol/blank",
      test: "while the zero of a blank text is not written, the key's older work is still outstanding",
    },
  },
];

/** One live entry for a key, and what it stands for. */
const ENTRIES: readonly Mutant[] = [
  {
    name: "settle does not compare the version",
    file: SETTLE,
    from: "if live and live.version == version then\n    doneKeys",
    to: "if live then\n    doneKeys",
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
    from: "if hasRetries then each(changed, 'HDEL', RETRIES) end",
    to: "",
    caughtBy: {
      file: "protocol/live-entry",
      test: "attempts belong to the text: a newer one begins with none",
    },
  },
  {
    name: "unchanged is skipped without a look at outstanding work",
    file: ENQUEUE,
    from: "elseif not live and unchanged then",
    to: "elseif unchanged then",
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

/** Whose it is, how often it was tried, and how often it was lost. */
const HANDS: readonly Mutant[] = [
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

/** When work is due, by which clock, and how long all stay away. */
const TIME: readonly Mutant[] = [
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

/** How a wait ends. */
const WAITS: readonly Mutant[] = [
  {
    name: "a wait reads the destination first",
    file: "flow/wait.ts",
    from: "const stored = await readDestinations(this.#stage.link, this.#stage.fields(), wanted);",
    to: "const stored = await readDestinations(this.#stage.link, this.#stage.fields(), wanted); for (const [i, version] of (await runStatus(this.#stage.link, asked)).entries()) outstanding.set(asked[i] as string, version ?? 0);",
    caughtBy: {
      file: "protocol/wait",
      test: "a text that is written and settled right after the read of a waiter is not gone",
    },
  },
  {
    name: "a wait does not look after subscribing",
    file: "flow/wait.ts",
    from: "for (const channel of channels) this.#check(this.#keyOf(channel), true);",
    to: "void channels;",
    caughtBy: {
      file: "protocol/wait",
      test: "what was written before the channel was heard is looked up once it is",
    },
  },
  {
    name: "an event alone says gone",
    file: "flow/wait.ts",
    from: "this.#check(this.#keyOf(channel), false);",
    to: "this.#check(this.#keyOf(channel), true);",
    caughtBy: {
      file: "protocol/wait",
      test: "a destination's event alone never says gone; the word of a cancel does",
    },
  },
];

/** Texts that were read at one moment and are enqueued at another. */
const READ: readonly Mutant[] = [
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

/** What is counted, and what is kept to save calls. */
const SAVINGS: readonly Mutant[] = [
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
    from: "and not stays[field] then",
    to: "and false then",
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

export const MUTANTS: readonly Mutant[] = [
  ...FENCE,
  ...ORDER,
  ...ENTRIES,
  ...HANDS,
  ...TIME,
  ...WAITS,
  ...READ,
  ...SAVINGS,
];
