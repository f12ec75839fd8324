// The door: goes through all checks, whatever state the set-up is in.

import * as v from "valibot";
import { check, signal as signalSchema, text } from "../model/check.ts";
import type { Diagnosis, Finding } from "../model/diagnosis.ts";
import type { Embedder, EmbedFunction } from "../model/embedder.ts";
import { EmbedqError } from "../model/errors.ts";
import { type ResolvedOptions, resolveOptions } from "../model/options.ts";
import { Connection } from "../redis/connection.ts";
import { queueKeys } from "../redis/keys.ts";
import { createLink, type Link } from "../redis/link.ts";
import { asFlatStrings, asText } from "../redis/replies.ts";
import { checkRedisOption, type RedisOption } from "../session.ts";
import { type Check, type Checkup, runCheck } from "./checkup.ts";
import { CLOCK_CHECK, lookAtConnection, unreachable, userIn } from "./connection.ts";
import { NOTIFICATIONS_CHECK } from "./notifications.ts";
import { ORPHANS_CHECK } from "./orphans.ts";
import { PERSISTENCE_CHECK } from "./persistence.ts";
import { lookAtProvider } from "./provider.ts";
import { RIGHTS_CHECK } from "./rights.ts";
import { EVICTION_CHECK, MEMORY_CHECK, ROLE_CHECK, VERSION_CHECK } from "./server.ts";
import { SETTINGS_CHECK } from "./settings.ts";
import { GROUP_CHECK, LETTERS_CHECK, WORK_CHECK } from "./work.ts";

/** Options of {@link diagnose}. */
export interface DiagnoseOptions {
  /** A URL, options of node-redis, or a connected node-redis client, which stays yours. */
  readonly redis: RedisOption;
  /** Name of the queue. @default "embed_queue" */
  readonly name?: string | undefined;
  /** Is called once, and must be of the queue's model. Without it, the provider is not looked at. */
  readonly embedder?: Embedder | EmbedFunction | undefined;
  /** Name of the model that the queue must have; together with `dimensions`. @default that of the embedder */
  readonly model?: string | undefined;
  /** Numbers in each vector. @default those of the embedder */
  readonly dimensions?: number | undefined;
  /** What the vectors are for, where a provider embeds for several tasks. @default that of the embedder */
  readonly task?: string | undefined;
  /** A destination key, on which rights are tried without changing it. @default one that is outstanding, if any */
  readonly destination?: string | undefined;
  /** How long one command to Redis may take, and the first connect, in milliseconds. @default 10000 */
  readonly commandTimeoutMs?: number | undefined;
  /** How long the call of the embedder may take, in milliseconds. @default 60000 */
  readonly embedTimeoutMs?: number | undefined;
  /** Ends the diagnosis when it is raised. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Repairs what is safe to repair: sets the notification flags that lack, makes the group, mends the
   * queue's own data, removes workers that are gone. Never changes persistence, eviction or rights.
   * @default false
   */
  readonly fix?: boolean | undefined;
}

const ownSchema = v.object({
  destination: v.optional(text(/^[^\0]+$/, "a key")),
  signal: v.optional(signalSchema),
  fix: v.optional(v.boolean("must be true or false"), false),
});

/** In the order in which one depends on the other. */
const CHECKS: readonly Check[] = [
  VERSION_CHECK,
  ROLE_CHECK,
  PERSISTENCE_CHECK,
  EVICTION_CHECK,
  MEMORY_CHECK,
  CLOCK_CHECK,
  RIGHTS_CHECK,
  NOTIFICATIONS_CHECK,
  SETTINGS_CHECK,
  GROUP_CHECK,
  ORPHANS_CHECK,
  WORK_CHECK,
  LETTERS_CHECK,
];

/**
 * Looks at everything that a queue stands on: Redis and how it is set up, this user's rights, the
 * queue's settings and data, and the provider. Works also where a queue would not start, and changes
 * nothing unless `fix` is given.
 *
 * @returns All findings, also of what is as it should be; Redis or a provider out of reach is one of them.
 * @throws {EmbedqError} `ERR_OPTION_INVALID`; and the signal's reason where that is raised.
 *
 * @example
 * ```ts
 * import { diagnose } from "embedq";
 *
 * const { findings, isHealthy } = await diagnose({ redis: "redis://127.0.0.1:6379" });
 * for (const { level, check, found, advice } of findings) {
 *   if (level !== "ok") console.log(`${level} ${check}: ${found}. ${advice ?? ""}`);
 * }
 * console.log(isHealthy ? "healthy" : "act now");
 * ```
 */
export async function diagnose(options: DiagnoseOptions): Promise<Diagnosis> {
  const { destination, signal, fix, ...rest } = options;
  const own = check(ownSchema, { destination, signal, fix }, "");
  const resolved = resolveOptions(rest);
  checkRedisOption(options.redis);
  const findings = [
    ...(await lookAtRedis(options.redis, resolved, own)),
    ...(await lookAtEmbedder(resolved, signal)),
  ];
  const isHealthy = findings.every(({ level, fixed }) => level !== "problem" || fixed === true);
  return { findings, isHealthy };
}

async function lookAtRedis(
  redis: RedisOption,
  options: ResolvedOptions,
  { destination, signal, fix }: v.InferOutput<typeof ownSchema>,
): Promise<readonly Finding[]> {
  signal?.throwIfAborted();
  const ignore = () => undefined;
  const hooks = { onLost: ignore, onRestored: ignore };
  const timeoutMs = options.commandTimeoutMs;
  let connection: Connection;
  try {
    connection = await Connection.open(redis, { timeoutMs, ...hooks });
  } catch (error) {
    // A client of another version, or one that is not connected, says nothing of Redis.
    if (error instanceof EmbedqError && error.code === "ERR_OPTION_INVALID") throw error;
    return [unreachable(redis, error)];
  }
  try {
    const link = createLink(connection, queueKeys(options.name));
    const first = await lookAtConnection(link, redis);
    if (first.level === "problem") return [first];
    const at: Checkup = {
      connection,
      link,
      options,
      database: await connection.database(),
      user: await userOf(link, redis),
      destination: destination ?? (await someDestination(link)),
      signal,
    };
    const findings = [first];
    for (const one of CHECKS) {
      const own = await runCheck(one, at, fix);
      findings.push(...own);
      // Nothing else can be done there, and nothing else that is found there matters.
      if (one === ROLE_CHECK && own.some(({ level }) => level === "problem")) break;
    }
    return findings;
  } finally {
    await connection.close();
  }
}

async function lookAtEmbedder(
  { embedder, embedTimeoutMs }: ResolvedOptions,
  signal: AbortSignal | undefined,
): Promise<readonly Finding[]> {
  return embedder === undefined ? [] : [await lookAtProvider(embedder, embedTimeoutMs, signal)];
}

/** Who this connection is, in Redis' eyes. */
async function userOf(link: Link, redis: RedisOption): Promise<string> {
  try {
    return asText(await link.send(["ACL", "WHOAMI"]));
  } catch {
    // Not told to this user, or by this server.
    return userIn(redis);
  }
}

/** A key that is outstanding, if there is one and this user may read it. */
async function someDestination(link: Link): Promise<string | undefined> {
  try {
    const [key] = asFlatStrings(await link.send(["HRANDFIELD", link.keys.dedup, "1"]));
    return key;
  } catch {
    return undefined;
  }
}
