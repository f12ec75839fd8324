// The options that several commands have. Each can stand in a flag (--max-batch-size), in the
// environment (EMBEDQ_MAX_BATCH_SIZE) or in the config file ("maxBatchSize"). What is left out is
// what the library makes of it.

import { aWord, choice, count, duration, offering, redisUrl, word } from "./schemas.ts";
import { inGroup, type OptionSpec, option, optionWith, type SpecsOf, shared } from "./spec.ts";

/** Where the queue is. */
export interface QueueValues {
  readonly redis: string;
  readonly name: string;
}

const redis: OptionSpec<string> = shared(
  optionWith("--redis <url>", "Redis to connect to", redisUrl, "redis://127.0.0.1:6379"),
);

export const QUEUE: SpecsOf<QueueValues> = {
  redis: { ...redis, isSecret: true },
  name: shared(optionWith("--name <name>", "name of the queue", word, "embed_queue")),
};

export const PROVIDERS: readonly string[] = [
  "openai",
  "openrouter",
  "gemini",
  "openai-compatible",
  "hashing",
];

/** Which provider embeds. */
export interface ProviderValues {
  readonly provider: string | undefined;
  readonly model: string | undefined;
  readonly dimensions: number | undefined;
  readonly task: string | undefined;
  readonly baseUrl: string | undefined;
}

export const PROVIDER: SpecsOf<ProviderValues> = inGroup("Provider:", {
  provider: shared(
    option(
      "--provider <provider>",
      `${PROVIDERS.join(", ")}, or a file that exports an embedder, like ./embedder.mjs`,
      offering(PROVIDERS, aWord()),
    ),
  ),
  model: shared(option("--model <model>", "name of the model", word)),
  dimensions: shared(option("--dimensions <count>", "numbers in each vector", count(1, 65_536))),
  task: shared(option("--task <task>", "what the vectors are for, where that matters", word)),
  baseUrl: shared(option("--base-url <url>", "address of the provider's API", word)),
});

/** How a worker works. */
export interface WorkerValues {
  readonly concurrency: number | undefined;
  readonly embedTimeout: number | undefined;
  readonly stopTimeout: number | undefined;
  readonly requestsPerMinute: number | undefined;
  readonly tokensPerMinute: number | undefined;
  readonly onOversize: "reject" | "truncate" | "split-and-average" | undefined;
  readonly onDead: "zero" | "unset" | undefined;
  readonly cacheTtl: number | undefined;
  readonly doneChannelPrefix: string | undefined;
}

export const WORKER: SpecsOf<WorkerValues> = inGroup("Worker:", {
  concurrency: shared(
    option("--concurrency <count>", "provider calls in flight, 4 unless said otherwise", count()),
  ),
  embedTimeout: shared(
    option("--embed-timeout <time>", "longest provider call, 60s unless said otherwise", duration),
  ),
  stopTimeout: shared(
    option(
      "--stop-timeout <time>",
      "how long a stop waits for calls in flight, 10s unless said otherwise",
      duration,
    ),
  ),
  requestsPerMinute: shared(
    option("--requests-per-minute <count>", "budget of all processes of the account", count()),
  ),
  tokensPerMinute: shared(
    option("--tokens-per-minute <count>", "budget of all processes of the account", count()),
  ),
  onOversize: shared(
    option(
      "--on-oversize <choice>",
      "a text longer than the model takes: reject, truncate or split-and-average",
      choice("reject", "truncate", "split-and-average"),
    ),
  ),
  onDead: shared(
    option(
      "--on-dead <choice>",
      "the vector of a text that is given up: zero or unset",
      choice("zero", "unset"),
    ),
  ),
  cacheTtl: shared(
    option("--cache-ttl <time>", "keep vectors in Redis this long, for equal texts", duration),
  ),
  doneChannelPrefix: shared(
    option(
      "--done-channel-prefix <prefix>",
      "publish 1 on this prefix and the key when a key's work is done, like sg:embed:done:",
      word,
    ),
  ),
});

/** What all processes of the queue share; stored by the first that says it. */
export interface SettingsValues {
  readonly maxBatchSize: number | undefined;
  readonly flushInterval: number | undefined;
  readonly lease: number | undefined;
  readonly maxAttempts: number | undefined;
  readonly maxDeadLetters: number | undefined;
  readonly field: string | undefined;
}

export const SETTINGS: SpecsOf<SettingsValues> = inGroup(
  "Settings that all processes of the queue share:",
  {
    maxBatchSize: shared(
      option(
        "--max-batch-size <count>",
        "texts that start a drain, and the most one claim takes",
        count(1, 100_000),
      ),
    ),
    flushInterval: shared(
      option(
        "--flush-interval <time>",
        "how long a text waits at most for its batch to fill",
        duration,
      ),
    ),
    lease: shared(
      option(
        "--lease <time>",
        "after this long without renewal another worker takes over",
        duration,
      ),
    ),
    maxAttempts: shared(
      option("--max-attempts <count>", "failed attempts before a text is given up", count()),
    ),
    maxDeadLetters: shared(
      option("--max-dead-letters <count>", "dead letters that are kept", count()),
    ),
    field: shared(
      option("--field <name>", "field of the destination hash that gets the vector", word),
    ),
  },
);

/** How texts come in. */
export interface ProducerValues {
  readonly onMissing: "create" | "skip" | undefined;
}

export const PRODUCER: SpecsOf<ProducerValues> = inGroup("Destinations:", {
  onMissing: shared(
    option(
      "--on-missing <choice>",
      "a destination that does not exist: create or skip",
      choice("create", "skip"),
    ),
  ),
});

type SharedValues = QueueValues & ProviderValues & WorkerValues & SettingsValues & ProducerValues;

/** All of them: what the config file may hold. */
export const SHARED: SpecsOf<SharedValues> = {
  ...QUEUE,
  ...PROVIDER,
  ...WORKER,
  ...SETTINGS,
  ...PRODUCER,
};
