// A whole worker whose link to Redis the test can break.

import { Drain } from "../../../src/drain.ts";
import { type EmbedqEvents, EventEmitter, type EventName } from "../../../src/model/events.ts";
import { resolveOptions } from "../../../src/model/options.ts";
import type { Link } from "../../../src/redis/link.ts";
import { Session } from "../../../src/session.ts";
import type { FakeEmbedder } from "../../helpers/embedder.ts";
import type { Scope } from "../../helpers/scope.ts";

interface TestWorkerOptions {
  readonly embedder: FakeEmbedder;
  /** Puts faults in the way of the worker's calls. */
  readonly wrap?: (link: Link) => Link;
  /** Another address of the same Redis, for instance a proxy's. */
  readonly url?: string;
  readonly concurrency?: number;
  /** Hears the doorbell as the worker does, right before it. */
  readonly onRing?: (word: string) => void;
}

export interface TestWorker extends AsyncDisposable {
  /** Its name in the group. */
  readonly name: string;
  /** Payloads of an event so far. */
  heard<Name extends EventName>(name: Name): EmbedqEvents[Name][];
}

export async function startWorker(
  scope: Scope,
  { embedder, wrap, url = scope.url, concurrency = 4, onRing }: TestWorkerOptions,
): Promise<TestWorker> {
  const events = new EventEmitter();
  const heard = new Map<EventName, unknown[]>();
  for (const name of EVENTS) {
    heard.set(name, []);
    events.on(name, (payload) => heard.get(name)?.push(payload));
  }
  const options = resolveOptions({
    name: scope.name,
    embedder,
    concurrency,
    stopTimeoutMs: 300,
    backoff: { baseMs: 10, maxMs: 20 },
    cooldown: { baseMs: 10, maxMs: 20 },
  });
  const session = await Session.open(url, options, events);
  if (wrap !== undefined) Object.assign(session, { link: wrap(session.link) });
  if (onRing !== undefined) session.onRing(onRing);
  const drain = new Drain(session, embedder);
  await drain.start();
  return {
    name: drain.worker,
    heard: <Name extends EventName>(name: Name) => heard.get(name) as EmbedqEvents[Name][],
    async [Symbol.asyncDispose]() {
      embedder.release();
      await drain.stop();
      await session.close(new Error("the test is over"));
    },
  };
}

const EVENTS: readonly EventName[] = [
  "worker:failed",
  "text:retried",
  "text:deferred",
  "text:dead",
  "lease:lost",
  "cooldown:started",
  "cooldown:ended",
  "connection:lost",
  "connection:restored",
];
