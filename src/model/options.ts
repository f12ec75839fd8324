// The public options, their defaults, and the checks that refuse bad ones with a clear message.

import * as v from "valibot";
import type { Backoff } from "./backoff.ts";
import { DEFAULT_BACKOFF } from "./backoff.ts";
import { type Budget, budgetSchema } from "./budget.ts";
import {
  check,
  GROUP,
  invalid,
  keyName,
  limitEntries,
  MAX_TIMER_MS,
  modelName,
  oneLine,
  oneOf,
  show,
  text,
  wholeFrom,
} from "./check.ts";
import type { Embedder, EmbedFunction } from "./embedder.ts";
import type { OversizePolicy } from "./oversize.ts";
import type { Optional, QueueSettings, RequestedSettings } from "./settings.ts";

/** How keyspace notifications are used: see `notifications` in {@link QueueOptions}. */
export type NotificationMode = "auto" | "assume" | "off";

/** Options that every process of a queue may give. What is left out is adopted from the queue, or has the default. */
export interface CommonOptions extends Optional<QueueSettings> {
  /** Name of the queue; all its keys begin with `{name}:`. @default "embed_queue" */
  readonly name?: string | undefined;
  /** How long one command to Redis may take, repeats after a broken connection included, in milliseconds. @default 10000 */
  readonly commandTimeoutMs?: number | undefined;
  /** Whether a destination that does not exist is created, or its text is dropped. @default "create" */
  readonly onMissing?: "create" | "skip" | undefined;
  /**
   * For those who wait on channels instead of tickets, as during a change-over from another queue:
   * when the work of a key is done, whatever its end, `1` is published on this prefix and the key.
   * @default nothing is published
   */
  readonly doneChannelPrefix?: string | undefined;
}

/** Options of the part that consumes. */
export interface ConsumerOptions {
  /** Provider calls in flight at once in this process. @default 4 */
  readonly concurrency?: number | undefined;
  /** How long one provider call may take, in milliseconds; longer counts as an outage. @default 60000 */
  readonly embedTimeoutMs?: number | undefined;
  /** How long a stop waits for calls in flight before it hands their texts back, in milliseconds. @default 10000 */
  readonly stopTimeoutMs?: number | undefined;
  /** The wait after a failed attempt. @default `{ baseMs: 1000, factor: 2, maxMs: 30000 }` */
  readonly backoff?: Optional<Backoff> | undefined;
  /** The shared pause after an outage where the provider names none: doubled from `baseMs` to `maxMs`. @default `{ baseMs: 1000, maxMs: 60000 }` */
  readonly cooldown?: Optional<{ baseMs: number; maxMs: number }> | undefined;
  /** What may be asked of the provider in a minute or a day, by all processes together. @default no limit */
  readonly budget?: Budget | undefined;
  /**
   * What is done with a text that is longer than the embedder takes (`limits.maxInputTokens`):
   * `reject` makes a dead letter of it, `truncate` embeds what fits of its start, and
   * `split-and-average` embeds it in pieces and stores their mean, weighted by tokens, of length 1.
   * @default "reject"
   */
  readonly onOversize?: OversizePolicy | undefined;
  /** What a dead text leaves in its destination: a zero vector, or none (a zero vector has no direction: its cosine distance is undefined). @default "zero" */
  readonly onDead?: "zero" | "unset" | undefined;
  /**
   * Keeps vectors in Redis for `ttlMs` milliseconds after the call that brought them, by model,
   * dimensions, task and text: an equal text under another key, or later, costs no call. Takes four
   * bytes for each number of a vector.
   * @default no cache
   */
  readonly cache?: { readonly ttlMs: number } | undefined;
}

/** Options that name the model where no embedder is given, or where the embedder is a plain function. */
export interface ModelOptions {
  /** The embedder; leave it out in a process that only produces. */
  readonly embedder?: Embedder | EmbedFunction | undefined;
  /** Name of the model. */
  readonly model?: string | undefined;
  /** Numbers in each vector. */
  readonly dimensions?: number | undefined;
  /** What the vectors are for, where a provider embeds for several tasks. */
  readonly task?: string | undefined;
}

/** Options of the part that produces and waits. */
export interface ProducerOptions {
  /** Skip a text whose embedding is stored already, under the same model. @default true */
  readonly skipUnchanged?: boolean | undefined;
  /**
   * `auto` sets the flags that waits need, `assume` relies on them, `off` looks on a timer instead.
   * @default "auto"
   */
  readonly notifications?: NotificationMode | undefined;
  /**
   * Whether the queue must be known to Redis already: `start` then fails for a mistyped name, where
   * it would otherwise begin a new queue. @default false
   */
  readonly mustExist?: boolean | undefined;
}

/** All options but the connection, with defaults filled in; settings only where they are asked for. */
export interface ResolvedOptions {
  readonly name: string;
  readonly commandTimeoutMs: number;
  readonly onMissing: "create" | "skip";
  readonly doneChannelPrefix?: string | undefined;
  readonly concurrency: number;
  readonly embedTimeoutMs: number;
  readonly stopTimeoutMs: number;
  readonly backoff: Backoff;
  readonly cooldown: { readonly baseMs: number; readonly maxMs: number };
  readonly budget: Budget | undefined;
  readonly onOversize: OversizePolicy;
  readonly onDead: "zero" | "unset";
  readonly cache?: { readonly ttlMs: number } | undefined;
  readonly skipUnchanged: boolean;
  readonly notifications: NotificationMode;
  readonly mustExist: boolean;
  readonly embedder: Embedder | undefined;
  readonly asked: RequestedSettings;
}

const settingEntries = {
  maxBatchSize: v.optional(wholeFrom(1, 100_000)),
  flushIntervalMs: v.optional(wholeFrom(0)),
  leaseMs: v.optional(wholeFrom(50, MAX_TIMER_MS)),
  maxAttempts: v.optional(wholeFrom(1)),
  maxDeadLetters: v.optional(wholeFrom(1)),
  field: v.optional(text(/^[^\0\n]+$/, "a name without line breaks")),
  model: v.optional(modelName),
  dimensions: v.optional(wholeFrom(1, 65_536)),
  task: v.optional(oneLine),
};
const settingsSchema = v.strictObject(settingEntries, GROUP);

const optionsSchema = v.strictObject(
  {
    ...settingEntries,
    // Checked by checkRedisOption, which does not show it.
    redis: v.optional(v.unknown()),
    name: v.optional(keyName, "embed_queue"),
    commandTimeoutMs: v.optional(wholeFrom(1, MAX_TIMER_MS), 10_000),
    onMissing: v.optional(oneOf("create", "skip"), "create"),
    doneChannelPrefix: v.optional(text(/^[^\0\n]+$/, "a name without line breaks")),
    concurrency: v.optional(wholeFrom(1, 10_000), 4),
    embedTimeoutMs: v.optional(wholeFrom(1, MAX_TIMER_MS), 60_000),
    stopTimeoutMs: v.optional(wholeFrom(0, MAX_TIMER_MS), 10_000),
    backoff: v.optional(
      v.strictObject(
        {
          baseMs: v.optional(wholeFrom(0), DEFAULT_BACKOFF.baseMs),
          factor: v.optional(
            v.pipe(v.number("must be a number"), v.minValue(1, "must be at least 1")),
            DEFAULT_BACKOFF.factor,
          ),
          maxMs: v.optional(wholeFrom(0), DEFAULT_BACKOFF.maxMs),
        },
        GROUP,
      ),
      {},
    ),
    cooldown: v.optional(
      v.strictObject(
        {
          baseMs: v.optional(wholeFrom(1), 1000),
          maxMs: v.optional(wholeFrom(1), 60_000),
        },
        GROUP,
      ),
      {},
    ),
    budget: budgetSchema,
    onOversize: v.optional(oneOf("reject", "truncate", "split-and-average"), "reject"),
    onDead: v.optional(oneOf("zero", "unset"), "zero"),
    cache: v.optional(v.strictObject({ ttlMs: wholeFrom(1) }, GROUP)),
    skipUnchanged: v.optional(v.boolean("must be true or false"), true),
    notifications: v.optional(oneOf("auto", "assume", "off"), "auto"),
    mustExist: v.optional(v.boolean("must be true or false"), false),
    embedder: v.optional(
      v.custom<Embedder | EmbedFunction>(
        (value) =>
          typeof value === "function" ||
          (typeof value === "object" &&
            value !== null &&
            typeof (value as Partial<Embedder>).embed === "function"),
        "must be an embedder, or a function",
      ),
    ),
  },
  GROUP,
);

const embedderSchema = v.object({
  model: modelName,
  dimensions: wholeFrom(1, 65_536),
  task: v.optional(oneLine),
  account: v.optional(keyName),
  harmlessText: v.optional(text(/\S/, "a text that is not blank")),
  limits: v.optional(v.strictObject(limitEntries, GROUP)),
});

/** @throws {EmbedqError} `ERR_OPTION_INVALID` that names the option, its value and what is wanted. */
export function resolveOptions(
  options: CommonOptions & ConsumerOptions & ProducerOptions & ModelOptions,
): ResolvedOptions {
  const parsed = check(optionsSchema, options, "");
  const embedder = resolveEmbedder(options);
  if (embedder === undefined) requireTogether(options);
  const { maxBatchSize, flushIntervalMs, leaseMs, maxAttempts, maxDeadLetters, field } = parsed;
  const { embedder: _, redis: __, model, dimensions, task, ...rest } = parsed;
  return {
    ...rest,
    embedder,
    asked: {
      maxBatchSize,
      flushIntervalMs,
      leaseMs,
      maxAttempts,
      maxDeadLetters,
      field,
      model: embedder?.model ?? model,
      dimensions: embedder?.dimensions ?? dimensions,
      // Space is one thing: a process that names the model means this task, or none.
      task: (embedder?.model ?? model) === undefined ? task : (embedder?.task ?? task ?? ""),
    },
  };
}

/** @throws {EmbedqError} `ERR_OPTION_INVALID`. */
export function checkSettings(changes: RequestedSettings): RequestedSettings {
  return check(settingsSchema, changes, "");
}

function resolveEmbedder(options: ModelOptions): Embedder | undefined {
  const { embedder, model, dimensions, task } = options;
  if (embedder === undefined) return undefined;
  const whole: Embedder =
    typeof embedder === "function"
      ? { model: model as string, dimensions: dimensions as number, task, embed: embedder }
      : embedder;
  check(embedderSchema, whole, typeof embedder === "function" ? "" : "embedder.");
  if (task !== undefined && whole.task === undefined) return withTask(whole, task);
  for (const name of ["model", "dimensions", "task"] as const) {
    if (options[name] !== undefined && options[name] !== whole[name]) {
      throw invalid(
        name,
        options[name],
        `must be that of the embedder, ${show(whole[name])}, or be left out`,
      );
    }
  }
  return whole;
}

/** The embedder with a task that was named beside it. */
function withTask(embedder: Embedder, task: string): Embedder {
  const { model, dimensions, limits, account, harmlessText } = embedder;
  return {
    model,
    dimensions,
    task,
    limits,
    account,
    harmlessText,
    embed: (texts, context) => embedder.embed(texts, context),
    ...(embedder.embedQuery && { embedQuery: embedder.embedQuery.bind(embedder) }),
  };
}

/** A vector space is one thing: half of one would never agree with that of a worker. */
function requireTogether(options: ModelOptions): void {
  const isNamed = options.model !== undefined || options.dimensions !== undefined;
  if (!isNamed && options.task === undefined) return;
  for (const name of ["model", "dimensions"] as const) {
    if (options[name] === undefined) {
      throw invalid(name, undefined, "must be given where `model`, `dimensions` or `task` is");
    }
  }
}
