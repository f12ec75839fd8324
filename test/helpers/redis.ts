// A real redis-server of the test's own: on a free port, in a folder of its own, gone with the test.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "./until.ts";

const START_TIMEOUT_MS = 10_000;
const READY = "Ready to accept connections";
const HINT =
  "Cannot start redis-server. Install it with `node scripts/setup.mjs --redis`, " +
  "`sudo apt-get install redis-server` or `brew install redis`.";

export interface RedisOptions {
  /** More arguments of redis-server, such as `["--appendonly", "yes"]`. They win over ours. */
  readonly args?: readonly string[];
  /** More variables of its environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** @default one that is free */
  readonly port?: number;
  /** The folder for its data, kept after `stop`. @default a temporary one, removed by `stop` */
  readonly dir?: string;
}

export interface RedisServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly dir: string;
  /** Process ID; another after each `restart`. */
  readonly pid: number;
  /** Sends a signal, SIGKILL by default, and waits for the end unless it only stops or continues. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again on the same port and folder; ends it in order first if it still runs. */
  restart(): Promise<void>;
  /** Ends it at once and removes its temporary folder. May be called again. */
  stop(): Promise<void>;
}

/** Starts a redis-server and waits until it answers. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), "embedq-redis-")));
  const isTemporary = options.dir === undefined;
  let port = options.port ?? (await freePort());

  const removeDir = async (): Promise<void> => {
    if (isTemporary) await rm(dir, { recursive: true, force: true });
  };
  const launch = () => launchServer(port, dir, isTemporary, options);
  const first = launch().catch(async (error: unknown) => {
    // Between our look for a free port and the start, somebody else may take it.
    if (options.port !== undefined || !/in use/i.test(String(error))) throw error;
    port = await freePort();
    return launch();
  });
  let child = await first.catch(async (error: unknown) => {
    await removeDir();
    throw error;
  });

  const kill = async (signal: NodeJS.Signals = "SIGKILL"): Promise<void> => {
    if (hasEnded(child)) return;
    const end = once(child, "exit");
    child.kill(signal);
    if (signal !== "SIGSTOP" && signal !== "SIGCONT") await end;
  };
  const stop = async (): Promise<void> => {
    await kill();
    await removeDir();
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    dir,
    get pid() {
      return child.pid ?? 0;
    },
    kill,
    async restart() {
      const end = kill("SIGTERM");
      // A stopped process does not see SIGTERM before it goes on.
      await kill("SIGCONT");
      await end;
      child = await launch();
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function launchServer(
  port: number,
  dir: string,
  isTemporary: boolean,
  { args = [], env = {} }: RedisOptions,
): Promise<ChildProcess> {
  const ours = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", dir];
  const fleeting = ["--save", "", "--appendonly", "no"];
  const child = spawnServer([...ours, ...fleeting, ...args], env);
  if (child.pid !== undefined) watch(child, child.pid, isTemporary ? dir : "");

  let log = "";
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(
        () => reject(new Error(`redis-server was not ready in ${START_TIMEOUT_MS} ms:\n${log}`)),
        START_TIMEOUT_MS,
      );
      child.on("error", (error) => reject(new Error(HINT, { cause: error })));
      child.on("close", (code) => reject(new Error(`redis-server ended with ${code}:\n${log}`)));
      const read = (chunk: string): void => {
        if (log.includes(READY)) return;
        log += chunk;
        // The server's own word that the port is its own: a PING might be answered by another.
        if (log.includes(READY)) resolve();
      };
      child.stdout.setEncoding("utf8").on("data", read);
      child.stderr.setEncoding("utf8").on("data", read);
    });
    await until(() => answersPing(port), { what: `PONG from port ${port}` });
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  } finally {
    clearTimeout(timer);
  }
  return child;
}

function spawnServer(args: readonly string[], env: Readonly<Record<string, string>>) {
  try {
    return spawn("redis-server", args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...env },
    });
  } catch (error) {
    // Bun throws where Node emits an error.
    throw new Error(HINT, { cause: error });
  }
}

/**
 * Ends the server also when this process dies without a chance to: a shell waits on a pipe that
 * only we hold open, and acts when it closes. A line through the pipe sends the shell home.
 */
function watch(server: ChildProcess, pid: number, temporaryDir: string): void {
  const script = 'read -r _ || { kill -9 "$0"; [ -z "$1" ] || rm -rf "$1"; }';
  const watcher = spawn("sh", ["-c", script, `${pid}`, temporaryDir], {
    stdio: ["pipe", "ignore", "ignore"],
    // Out of our process group, or a signal to the group (Ctrl-C) would end it before its duty.
    detached: true,
  });
  watcher.unref();
  watcher.stdin.on("error", () => {});
  server.once("exit", () => watcher.stdin.end("\n"));
}

async function answersPing(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    socket.write("PING\r\n");
    const [reply] = (await once(socket, "data")) as [Buffer];
    // A server with a password refuses the PING, and is up as well.
    return /^(\+PONG|-NOAUTH)/.test(reply.toString());
  } finally {
    socket.destroy();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
