// Which Redis the demo runs on: one that is there, one started for it, or one in its own process.

import { startRedis } from "../../test/helpers/redis.ts";
import type { RedisKind } from "./options.ts";

export interface DemoServer extends AsyncDisposable {
  /** May hold a password: never shown. */
  readonly url: string;
  /** What it is, in words. */
  readonly what: string;
  /** True where it holds data of others, and outlives the demo. */
  readonly isShared: boolean;
  /** How many texts are embedded where nobody says, and how many at most. */
  readonly texts: { readonly usual: number; readonly most: number };
}

const PLENTY = { usual: 3000, most: 1_000_000 };
/** js-redis-server slows down with the length of a stream: 5,000 waiting texts take it 42 s. */
const FEW = { usual: 600, most: 1000 };

/**
 * @param kind Undefined: REDIS_URL where it is set, else redis-server where it is on PATH, else embedded.
 * @param report Told in words what was ended.
 * @throws {Error} When that kind cannot be had.
 */
export function openServer(
  kind: RedisKind | undefined,
  report: (line: string) => void,
): Promise<DemoServer> | DemoServer {
  const url = process.env["REDIS_URL"] ?? "";
  switch (kind ?? usualKind(url)) {
    case "url":
      return namedServer(url);
    case "private":
      return privateServer(report);
    case "embedded":
      return embeddedServer(report);
  }
}

function usualKind(url: string): RedisKind {
  if (url !== "") return "url";
  return Bun.which("redis-server") === null ? "embedded" : "private";
}

function namedServer(url: string): DemoServer {
  if (url === "") throw new Error("--redis url needs a URL in the environment variable REDIS_URL");
  if (!URL.canParse(url)) throw new Error("REDIS_URL must be like redis://127.0.0.1:6379");
  return {
    url,
    what: `the one at ${new URL(url).host} (REDIS_URL), under names of our own`,
    isShared: true,
    texts: PLENTY,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function privateServer(report: (line: string) => void): Promise<DemoServer> {
  const server = await startRedis();
  return {
    url: server.url,
    what: `a private redis-server on 127.0.0.1:${server.port}, for this run only`,
    isShared: false,
    texts: PLENTY,
    [Symbol.asyncDispose]: async () => {
      await server.stop();
      report("the workers and redis-server have ended, its folder is removed");
    },
  };
}

async function embeddedServer(report: (line: string) => void): Promise<DemoServer> {
  // Only here, and only now: nobody else needs it.
  const { createRedisMock } = await import("js-redis-server");
  const server = await createRedisMock();
  return {
    url: server.url,
    what: `js-redis-server in this process (127.0.0.1:${server.port}), slow, for trying out`,
    isShared: false,
    texts: FEW,
    [Symbol.asyncDispose]: async () => {
      await server.close();
      report("the workers have ended, the server is closed");
    },
  };
}
