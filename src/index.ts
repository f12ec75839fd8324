/**
 * A Redis-backed batched embedding queue: producers enqueue texts for destination hashes, workers
 * embed them in full batches and write the vectors where vector search finds them.
 *
 * Where things are, in the order that a text meets them:
 *
 * - `queue.ts`, `worker.ts`: the two doors. `ticket.ts`: what a producer holds. `upkeep.ts`: what
 *   looks after a queue.
 * - `session.ts`: connections, settings, doorbell and waits that both doors are built on.
 * - `drain.ts`: the worker's loop. `pipeline.ts`, `endings.ts`: one claim's way through the stages.
 * - `flow/`: the stages, one a file: enqueue, claim, batch, embed, write, settle, wait.
 * - `redis/`: the only folder that knows Redis; `redis/scripts/` holds the Lua.
 * - `model/`: plain values, options, errors and events.
 *
 * @module
 */

export type { DiagnoseOptions } from "./doctor/diagnose.ts";
export { diagnose } from "./doctor/diagnose.ts";
export type { WaitOptions } from "./flow/wait.ts";
export type { Backoff } from "./model/backoff.ts";
export type { Budget } from "./model/budget.ts";
export type {
  BulkBounds,
  PurgeOptions,
  PurgeProgress,
  PurgeResult,
  SendBackAllOptions,
  SendBackAllResult,
  SendBackCounts,
} from "./model/bulk.ts";
export type { Diagnosis, Finding, FindingLevel } from "./model/diagnosis.ts";
export type {
  EmbedContext,
  Embedder,
  EmbedderLimits,
  EmbeddingVector,
  EmbedFunction,
  EmbedReply,
  EmbedResult,
  EmbedUsage,
} from "./model/embedder.ts";
export type {
  CallMeasure,
  EmbedderErrorKind,
  EmbedderErrorOptions,
  ErrorCode,
} from "./model/errors.ts";
export { EmbedderError, EmbedqError, EnqueueError } from "./model/errors.ts";
export type { BatchDrained, EmbedqEvents, EventListener, EventName } from "./model/events.ts";
export type { DeadLetterQuery, EnqueueOptions, FlushOptions } from "./model/input.ts";
export type { EnqueueItem } from "./model/job.ts";
export type {
  CommonOptions,
  ConsumerOptions,
  ModelOptions,
  NotificationMode,
  ProducerOptions,
} from "./model/options.ts";
export type {
  CancelResult,
  DeadLetter,
  DeadOutcome,
  EmbeddedOutcome,
  FlushResult,
  GoneOutcome,
  Outcome,
  SendBackResult,
  Settled,
  SettledOutcome,
} from "./model/outcome.ts";
export type { OversizePolicy } from "./model/oversize.ts";
export type {
  Optional,
  QueueSettings,
  RequestedSettings,
  StoredSettings,
  VectorSpace,
} from "./model/settings.ts";
export type {
  ClaimCounts,
  QueueStats,
  UsageStats,
  WorkerPause,
  WorkerStats,
  WorkerUsage,
} from "./model/stats.ts";
export type { EmbeddingsQuery, StoredEmbedding, StoredOptions } from "./model/stored.ts";
export type {
  TakeOverOptions,
  TakeOverProblem,
  TakeOverProgress,
  TakeOverResult,
} from "./model/takeover.ts";
export type { ClaimReason } from "./model/usage.ts";
export { decodeEmbedding, encodeEmbedding } from "./model/vector.ts";
export type {
  BackfillOptions,
  ReembedOptions,
  TextOf,
  TextSource,
  WalkProgress,
  WalkRange,
  WalkResult,
} from "./model/walk.ts";
export { WalkError } from "./model/walk.ts";
export type { QueueOptions } from "./queue.ts";
export { EmbeddingQueue } from "./queue.ts";
export type { RedisClientLike, RedisClientOptions, RedisOption } from "./session.ts";
export type { TicketData } from "./ticket.ts";
export { Ticket } from "./ticket.ts";
export type { QueueUpkeep } from "./upkeep.ts";
export { VERSION } from "./version.ts";
export type { WorkerOptions } from "./worker.ts";
export { EmbeddingWorker } from "./worker.ts";
