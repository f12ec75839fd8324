// From the options of the command line to those of the library.

import type { QueueOptions } from "../../index.ts";
import type { ProducerValues, SettingsValues, WorkerValues } from "./shared.ts";

/** What a worker is given. */
export function workerOptions(values: WorkerValues): Partial<QueueOptions> {
  const { requestsPerMinute, tokensPerMinute, cacheTtl } = values;
  const hasBudget = requestsPerMinute !== undefined || tokensPerMinute !== undefined;
  return {
    concurrency: values.concurrency,
    embedTimeoutMs: values.embedTimeout,
    stopTimeoutMs: values.stopTimeout,
    budget: hasBudget ? { requestsPerMinute, tokensPerMinute } : undefined,
    onOversize: values.onOversize,
    onDead: values.onDead,
    doneChannelPrefix: values.doneChannelPrefix,
    cache: cacheTtl === undefined ? undefined : { ttlMs: cacheTtl },
  };
}

/** What all processes of the queue share. */
export function settingsOptions(values: SettingsValues & ProducerValues): Partial<QueueOptions> {
  return {
    maxBatchSize: values.maxBatchSize,
    flushIntervalMs: values.flushInterval,
    leaseMs: values.lease,
    maxAttempts: values.maxAttempts,
    maxDeadLetters: values.maxDeadLetters,
    field: values.field,
    onMissing: values.onMissing,
  };
}
