// A redis-server for one run: on a free port, in a folder of its own, gone with the run.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";

const START_TIMEOUT_MS = 10_000;
const READY = "Ready to accept connections";

export interface RedisServer {
  readonly port: number;
  /** Ends it at once and removes its folder. */
  stop(): Promise<void>;
}

/** Where redis-server is on PATH; undefined where it is not. */
export function findRedisServer(): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return folders.map((folder) => join(folder, "redis-server")).find(isExecutable);
}

/** @throws {Error} Where it does not start, with what it said. */
export async function startRedisServer(program: string): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), "embedq-demo-"));
  const port = await freePort();
  const args = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", folder, "--save", ""];
  const server = spawn(program, args, { stdio: ["ignore", "pipe", "ignore"] });
  const stop = async (): Promise<void> => {
    if (server.exitCode === null && server.signalCode === null && server.pid !== undefined) {
      const end = once(server, "exit");
      server.kill("SIGKILL");
      await end;
    }
    await rm(folder, { recursive: true, force: true });
  };
  try {
    if (server.pid !== undefined) watch(server, server.pid, folder);
    await untilReady(server);
    return { port, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** By the server's own word that the port is its own: another might answer there. */
async function untilReady(server: ChildProcess): Promise<void> {
  let log = "";
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const fail = (what: string) => reject(new Error(`redis-server ${what}: ${log.trim()}`));
      timer = setTimeout(() => fail(`was not ready in ${START_TIMEOUT_MS} ms`), START_TIMEOUT_MS);
      server.once("error", (error) => fail(error.message));
      server.once("close", (code) => fail(`has ended with exit code ${code}`));
      server.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
        log = (log + chunk).slice(-2000);
        if (log.includes(READY)) resolve();
      });
    });
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Ends the server also when this process dies without a chance to: a shell waits on a pipe that
 * only we hold open, and acts when it closes. A line through the pipe sends the shell home.
 */
function watch(server: ChildProcess, pid: number, folder: string): void {
  const script = 'read -r _ || { kill -9 "$0"; rm -rf "$1"; }';
  const watcher = spawn("sh", ["-c", script, `${pid}`, folder], {
    stdio: ["pipe", "ignore", "ignore"],
    // Out of our process group, or a signal to the group (Ctrl-C) would end it before its duty.
    detached: true,
  });
  watcher.unref();
  // Without it the server still ends where we end in order.
  watcher.on("error", () => {});
  watcher.stdin.on("error", () => {});
  server.once("exit", () => watcher.stdin.end("\n"));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
