// Which Redis the demo runs on: one that is there, one started for it, or one in its own process.

import { CommandError, messageOf } from "../errors.ts";
import { findRedisServer, startRedisServer } from "./redis-server.ts";

export interface DemoServer {
  /** May hold a password: never shown. */
  readonly url: string;
  /** What it is, in words. */
  readonly what: string;
  /** True where it holds data of others, and outlives the demo. */
  readonly isShared: boolean;
  /** How many texts are embedded where nobody says, and how many at most. */
  readonly texts: { readonly usual: number; readonly most: number };
  stop(): Promise<void>;
}

const PLENTY = { usual: 3000, most: 1_000_000 };
/** js-redis-server slows down with the length of a stream: 5,000 waiting texts take it 42 s. */
const FEW = { usual: 600, most: 1000 };

/**
 * @param where A URL, or `private` or `embedded`. Undefined: redis-server where it is on PATH, else embedded.
 * @param report Told in words what was ended.
 * @throws {CommandError} When that kind cannot be had.
 */
export async function openServer(
  where: string | undefined,
  report: (line: string) => void,
): Promise<DemoServer> {
  const program = findRedisServer();
  const kind = where ?? (program === undefined ? "embedded" : "private");
  if (kind === "embedded") return embeddedServer(report);
  if (kind !== "private") return namedServer(kind);
  if (program === undefined) {
    throw new CommandError("There is no redis-server on PATH", {
      hint: "--redis embedded needs none",
    });
  }
  return privateServer(program, report);
}

function namedServer(url: string): DemoServer {
  return {
    url,
    what: `the one at ${new URL(url).host}, under names of our own`,
    isShared: true,
    texts: PLENTY,
    stop: () => Promise.resolve(),
  };
}

async function privateServer(program: string, report: (line: string) => void): Promise<DemoServer> {
  const { port, stop } = await startRedisServer(program);
  return {
    url: `redis://127.0.0.1:${port}`,
    what: `a private redis-server on 127.0.0.1:${port}, for this run only`,
    isShared: false,
    texts: PLENTY,
    stop: async () => {
      await stop();
      report("the workers and redis-server have ended, its folder is removed");
    },
  };
}

async function embeddedServer(report: (line: string) => void): Promise<DemoServer> {
  const { createRedisMock } = await loadEmbedded();
  const server = await createRedisMock();
  return {
    url: server.url,
    what: `js-redis-server in this process (127.0.0.1:${server.port}), slow, for trying out`,
    isShared: false,
    texts: FEW,
    stop: async () => {
      await server.close();
      report("the workers have ended, the server is closed");
    },
  };
}

/** Only here, and only now: nobody else needs it. */
async function loadEmbedded(): Promise<typeof import("js-redis-server")> {
  try {
    return await import("js-redis-server");
  } catch (error) {
    throw new CommandError(`Cannot load the embedded server: ${messageOf(error)}`, {
      hint: "install redis-server, or name a Redis with --redis",
      cause: error,
    });
  }
}
