// Proves the helper that starts a redis-server.

import { expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "redis";
import { type RedisServer, startRedis } from "./redis.ts";
import { until } from "./until.ts";

async function ask(server: RedisServer, ...command: string[]): Promise<unknown> {
  const client = createClient({ url: server.url, socket: { reconnectStrategy: false } });
  client.on("error", () => {});
  await client.connect();
  try {
    return await client.sendCommand(command);
  } finally {
    await client.disconnect();
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test("startRedis starts a server of its own and stop removes every trace", async () => {
  const server = await startRedis();
  expect(await ask(server, "PING")).toBe("PONG");
  expect(await ask(server, "INFO", "server")).toContain(`process_id:${server.pid}`);
  expect(await ask(server, "CONFIG", "GET", "save")).toEqual(["save", ""]);
  await server.stop();
  await server.stop();
  expect(isAlive(server.pid)).toBe(false);
  expect(existsSync(server.dir)).toBe(false);
});

test("startRedis runs several at once, on ports of their own", async () => {
  await using one = await startRedis();
  await using other = await startRedis();
  expect(one.port).not.toBe(other.port);
});

test("restart keeps port and folder, and the data with an append-only file", async () => {
  await using server = await startRedis({
    args: ["--appendonly", "yes", "--appendfsync", "always"],
  });
  const { pid, port } = server;
  await ask(server, "SET", "kept", "yes");
  await server.kill();
  await expect(ask(server, "PING")).rejects.toThrow();
  await server.restart();
  expect(server.port).toBe(port);
  expect(server.pid).not.toBe(pid);
  expect(await ask(server, "GET", "kept")).toBe("yes");
});

test("restart ends a running server first, also a stopped one", async () => {
  await using server = await startRedis();
  await server.kill("SIGSTOP");
  await server.restart();
  expect(await ask(server, "PING")).toBe("PONG");
});

test("a stopped process goes on with SIGCONT", async () => {
  await using server = await startRedis();
  await server.kill("SIGSTOP");
  await server.kill("SIGCONT");
  expect(await ask(server, "PING")).toBe("PONG");
});

test("startRedis keeps a folder that it was given", async () => {
  const dir = await mkdtemp(join(tmpdir(), "embedq-test-"));
  await (await startRedis({ dir })).stop();
  expect(existsSync(dir)).toBe(true);
  await rm(dir, { recursive: true });
});

test("startRedis shows the server's own words when it does not start", async () => {
  await using server = await startRedis();
  await expect(startRedis({ port: server.port })).rejects.toThrow(/in use/i);
  await expect(startRedis({ args: ["--no-such-option", "1"] })).rejects.toThrow("no-such-option");
});

test("the server dies with its process, even on SIGKILL", async () => {
  const helper = join(import.meta.dir, "redis.ts");
  const script = `
    const { startRedis } = await import(${JSON.stringify(helper)});
    const server = await startRedis();
    console.log(server.pid + " " + server.dir);
    setInterval(() => {}, 1000);
  `;
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const [pid = "", dir = ""] = line.toString().trim().split(" ");
  expect(isAlive(Number(pid))).toBe(true);
  child.kill("SIGKILL");
  await until(() => !isAlive(Number(pid)), { what: "the server to end" });
  await until(() => !existsSync(dir), { what: "its folder to go" });
});
