// The protocol's steps in the test's hands, one by one, without a worker around them.

import { expect } from "bun:test";
import { type AcceptedText, enqueue } from "../../../src/flow/enqueue.ts";
import { type WriteStage, writeDeadMarks } from "../../../src/flow/write.ts";
import { sourceDigest } from "../../../src/model/digest.ts";
import type { EnqueueItem, Job } from "../../../src/model/job.ts";
import {
  DEFAULT_SETTINGS,
  type RequestedSettings,
  spaceTag,
  type VectorSpace,
} from "../../../src/model/settings.ts";
import type { UsageReport } from "../../../src/model/usage.ts";
import { FLOAT_BYTES, toVectorBytes, zeroVectorBytes } from "../../../src/model/vector.ts";
import { Connection } from "../../../src/redis/connection.ts";
import { createLink, type Link } from "../../../src/redis/link.ts";
import { type ClaimReply, runClaim } from "../../../src/redis/scripts/claim.ts";
import {
  type DestinationFields,
  destinationFields,
  type WriteOp,
  type WriteResult,
  writeDestinations,
} from "../../../src/redis/scripts/destination.ts";
import { runJoin } from "../../../src/redis/scripts/settings.ts";
import {
  type FailResult,
  runFail,
  runGiveUp,
  runSettle,
  type SettleResult,
} from "../../../src/redis/scripts/settle.ts";
import { runFlush, runStatus } from "../../../src/redis/scripts/state.ts";
import { FakeEmbedder, vectorOf } from "../../helpers/embedder.ts";
import type { Scope } from "../../helpers/scope.ts";

/** The vector space of `new FakeEmbedder()`. */
export const SPACE: VectorSpace = {
  model: new FakeEmbedder().model,
  dimensions: new FakeEmbedder().dimensions,
  task: "",
};

/** A connection to the scope's Redis, and a queue whose settings are agreed. */
export async function openRig(scope: Scope, settings: RequestedSettings = {}): Promise<Rig> {
  const connection = await Connection.open(scope.url, {
    timeoutMs: 2_000,
    onLost: () => {},
    onRestored: () => {},
  });
  const link = createLink(connection, scope.keys);
  await runJoin(link, { ...SPACE, ...settings }, DEFAULT_SETTINGS);
  return new Rig(scope, connection, link, settings.leaseMs ?? DEFAULT_SETTINGS.leaseMs);
}

interface ClaimOptions {
  readonly max?: number;
  readonly isAlone?: boolean;
  readonly usage?: UsageReport | undefined;
}

interface EnqueueOptions {
  /** Another link, for instance one with a fault. */
  readonly link?: Link;
  /** Filled with what was accepted, also where the call fails. */
  readonly accepted?: AcceptedText[];
}

export class Rig {
  readonly link: Link;
  readonly fields: DestinationFields = destinationFields(DEFAULT_SETTINGS.field);
  readonly #scope: Scope;
  readonly #connection: Connection;
  readonly #leaseMs: number;

  constructor(scope: Scope, connection: Connection, link: Link, leaseMs: number) {
    this.#scope = scope;
    this.#connection = connection;
    this.link = link;
    this.#leaseMs = leaseMs;
  }

  async enqueue(key: string, text: string, options: EnqueueOptions = {}): Promise<AcceptedText> {
    const [accepted] = await this.enqueueMany([{ key, text }], options);
    return accepted as AcceptedText;
  }

  async enqueueMany(
    items: readonly EnqueueItem[],
    { link = this.link, accepted = [] }: EnqueueOptions = {},
  ): Promise<AcceptedText[]> {
    const stage = {
      link,
      onMissing: "create" as const,
      skipsUnchanged: true,
      current: () => ({ space: SPACE, fields: this.fields }),
      refresh: () => Promise.reject(new Error("the settings are another's by now")),
      announce: () => Promise.resolve(),
    };
    await enqueue(stage, items, accepted, undefined);
    return accepted;
  }

  /** Makes everything due that waits. */
  async flush(): Promise<void> {
    await runFlush(this.link);
  }

  claim(
    worker: string,
    { max = 50, isAlone = true, usage }: ClaimOptions = {},
  ): Promise<ClaimReply> {
    const space = spaceTag(SPACE);
    return runClaim(this.link, {
      worker,
      max,
      isAlone,
      reclaims: true,
      space,
      usage,
    });
  }

  /** Claims what must be exactly one text, due or not. */
  async take(worker: string): Promise<Job> {
    await this.flush();
    const { jobs } = await this.claim(worker);
    expect(jobs).toHaveLength(1);
    return jobs[0] as Job;
  }

  /** The worker that holds these entries dies, and a lease goes by. */
  async abandon(...jobs: readonly Job[]): Promise<void> {
    const held = await this.#scope.group();
    const ids = jobs.map(({ entryId }) => entryId);
    expect(held.map(({ id }) => id)).toEqual(expect.arrayContaining(ids));
    for (const { id, consumer, deliveries } of held) {
      if (ids.includes(id)) await this.age(id, consumer, deliveries);
    }
  }

  /** A lease goes by for one entry; owner and count of deliveries stay or become what they are told to be. */
  async age(id: string, consumer: string, deliveries: number): Promise<void> {
    const count = ["RETRYCOUNT", String(deliveries), "JUSTID"];
    const idle = ["IDLE", String(this.#leaseMs)];
    const { pending } = this.#scope.keys;
    await this.link.send(["XCLAIM", pending, "embedders", consumer, "0", id, ...idle, ...count]);
  }

  /** One write with everything that belongs to it. */
  async put(
    key: string,
    version: number,
    { op = "embed", text = "a text" }: { readonly op?: WriteOp; readonly text?: string } = {},
  ): Promise<WriteResult> {
    const [result] = await writeDestinations(this.link, this.fields, "create", [
      writeOf(key, version, op, text),
    ]);
    return result as WriteResult;
  }

  /** Writes the vector of the job's text. */
  write({ key, version, text }: Job): Promise<WriteResult> {
    return this.put(key, version, { text });
  }

  /** Marks the destination of a text that is given up. */
  async mark(job: Job, onDead: "zero" | "unset" = "zero"): Promise<WriteResult> {
    const [result] = await writeDeadMarks(this.writeStage(onDead), [job]);
    return result as WriteResult;
  }

  writeStage(onDead: "zero" | "unset" = "zero"): WriteStage {
    return { link: this.link, fields: this.fields, space: SPACE, onMissing: "create", onDead };
  }

  async settle(job: Job): Promise<SettleResult> {
    const [result] = (await runSettle(this.link, spaceTag(SPACE), [job])) ?? [];
    return result as SettleResult;
  }

  async fail(
    worker: string,
    job: Job,
    { spendsAttempt = true, backoffMs = 0 } = {},
  ): Promise<FailResult> {
    const [result] = await runFail(
      this.link,
      worker,
      [{ ...job, spendsAttempt, backoffMs }],
      false,
    );
    return result as FailResult;
  }

  async giveUp(job: Job): Promise<string> {
    const [result] = await runGiveUp(this.link, [{ ...job, reason: "refused" }]);
    return result as string;
  }

  /** A text's whole life, from the enqueue to the settle. */
  async finish(key: string, text: string): Promise<AcceptedText> {
    const accepted = await this.enqueue(key, text);
    const job = await this.take("finisher");
    await this.write(job);
    await this.settle(job);
    return accepted;
  }

  /** The outstanding version of a key, 0 if there is none. */
  async outstanding(key: string): Promise<number> {
    const [version] = await runStatus(this.link, [key]);
    return version ?? 0;
  }

  /** Redis' clock, in microseconds. */
  async nowUs(): Promise<number> {
    const [seconds, micros] = (await this.link.send(["TIME"])) as string[];
    return Number(seconds) * 1_000_000 + Number(micros);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#connection.close();
  }
}

function writeOf(key: string, version: number, op: WriteOp, text: string) {
  const hasDigest = op === "embed" || op === "touch";
  const digest = hasDigest ? sourceDigest(SPACE, text) : "";
  const vectorBytes = SPACE.dimensions * FLOAT_BYTES;
  return { key, version, op, digest, vector: bytesOf(op, text), vectorBytes };
}

function bytesOf(op: WriteOp, text: string): Uint8Array {
  if (op === "embed") return toVectorBytes(vectorOf(text, SPACE.dimensions));
  if (op === "unset" || op === "touch") return new Uint8Array();
  return zeroVectorBytes(SPACE.dimensions);
}

/** The vector that the embedder gives for a text, as numbers. */
export function numbersOf(text: string): number[] {
  return [...vectorOf(text, SPACE.dimensions)];
}

/** What stands for a text without a vector. */
export const ZERO: readonly number[] = new Array<number>(SPACE.dimensions).fill(0);
