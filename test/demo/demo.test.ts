// Proves `npm run demo`: on each kind of Redis it does what it says, and leaves nothing behind.

import { expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "redis";
import { EmbeddingQueue } from "../../src/index.ts";
import { startRedis } from "../helpers/redis.ts";
import { until } from "../helpers/until.ts";
import { Demo, runDemo } from "./run.ts";

const EMPTY = "stream 0, group 0, dedup 0, retries 0, dead letters 0";
/** Printed lines break where the terminal ends. */
const flat = (text: string) => text.replace(/\s+/g, " ");

async function connected(url: string) {
  const client = createClient({ url });
  client.on("error", () => {});
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.disconnect() });
}

type Client = Awaited<ReturnType<typeof connected>>;

async function readFlags(client: Client): Promise<string | undefined> {
  return (await client.configGet("notify-keyspace-events"))["notify-keyspace-events"];
}

/** Every key with its bytes as Redis would write them to disk, and its expiry. */
async function snapshot(client: Client): Promise<string[]> {
  const keys = (await client.keys("*")).sort();
  return Promise.all(
    keys.map(async (key) => {
      const bytes = await client.sendCommand<Buffer>(["DUMP", key], { returnBuffers: true });
      return `${key} ${await client.pExpireTime(key)} ${bytes.toString("hex")}`;
    }),
  );
}

/** Data of others: every kind of value, and another queue with texts that wait. */
async function fillWithForeignData(url: string, client: Client): Promise<void> {
  await client.set("text:1", "a string");
  await client.set("soon", "gone", { PXAT: Date.now() + 3_600_000 });
  await client.hSet("doc:1", { text: "a hash", embedding: "\0\0\0\0" });
  await client.rPush("list", ["one", "two"]);
  await client.zAdd("scores", { score: 1, value: "one" });
  await client.xAdd("embed_queue", "*", { field: "value" });
  await client.xGroupCreate("embed_queue", "embedders", "0");
  await using queue = new EmbeddingQueue({ redis: url, model: "theirs", dimensions: 3 });
  await queue.start();
  await queue.enqueueMany([
    { key: "doc:1", text: "Mine, and waiting" },
    { key: "doc:2", text: "Mine too" },
  ]);
}

test("npm run demo starts a redis-server of its own, does its work and ends it", async () => {
  await using demo = await runDemo({ args: ["--redis", "private", "--texts", "220"] });
  expect(demo.complaint).toBe("");
  expect(await demo.end()).toBe(0);
  const output = flat(demo.output);
  expect(output).toContain("a private redis-server on 127.0.0.1:");
  expect(output).toContain("220 of 220 embedded");
  expect(output).toContain("220 read back are what the embedder gives, to the last bit");
  // Four full batches, and the rest that the flush made due.
  expect(output).toContain("Provider calls 5,");
  expect(output).toContain("88 % (44.0 of 50 texts a call)");
  expect(output).toContain(EMPTY);
  expect(output).toMatch(/How do I spawn a child process\? 0\.\d\d /);
  // No terminal, no escape codes.
  expect(demo.output).not.toContain("\x1b");
  await demo.leavesNothing();
});

test("npm run demo leaves a Redis with foreign data as it found it, to the byte", async () => {
  await using server = await startRedis();
  await using client = await connected(server.url);
  await fillWithForeignData(server.url, client);
  await client.configSet("notify-keyspace-events", "Ex");
  const [before, flags] = [await snapshot(client), await readFlags(client)];

  // Of two ways it takes REDIS_URL first.
  await using demo = await runDemo({ args: ["--texts", "220"], env: { REDIS_URL: server.url } });
  expect(demo.complaint).toBe("");
  expect(await demo.end()).toBe(0);
  const output = flat(demo.output);
  expect(output).toContain(`the one at 127.0.0.1:${server.port}, under names of our own`);
  expect(output).toContain("220 of 220 embedded");
  expect(output).toContain(EMPTY);
  expect(output).toContain("220 hashes removed");

  expect(await snapshot(client)).toEqual(before);
  expect(await readFlags(client)).toBe(flags);
  await demo.leavesNothing();
});

test("npm run demo works where Redis refuses CONFIG, and never shows the password", async () => {
  await using server = await startRedis();
  await using client = await connected(server.url);
  await client.configSet("notify-keyspace-events", "Ex");
  await client.aclSetUser("guest", ["on", ">hush-hush", "~*", "&*", "+@all", "-config"]);
  const flags = await readFlags(client);

  const REDIS_URL = `redis://guest:hush-hush@127.0.0.1:${server.port}`;
  await using demo = await runDemo({ args: ["--texts", "120"], env: { REDIS_URL } });
  expect(demo.complaint).toBe("");
  expect(await demo.end()).toBe(0);
  expect(flat(demo.output)).toContain("120 of 120 embedded");
  expect(demo.output).not.toContain("hush-hush");
  expect(await client.dbSize()).toBe(0);
  expect(await readFlags(client)).toBe(flags);
});

test("npm run demo runs without any Redis, on the embedded server", async () => {
  const folder = await mkdtemp(join(tmpdir(), "embedq-path-"));
  try {
    // A PATH with Node alone.
    await mkdir(join(folder, "bin"));
    await symlink(Bun.which("node") ?? "", join(folder, "bin", "node"));
    const env = { PATH: join(folder, "bin") };
    await using demo = await runDemo({ args: ["--texts", "120"], env });
    expect(demo.complaint).toBe("");
    expect(await demo.end()).toBe(0);
    const output = flat(demo.output);
    expect(output).toContain("js-redis-server in this process");
    expect(output).toContain("120 of 120 embedded");
    expect(output).toContain(EMPTY);
    await demo.leavesNothing();
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("Ctrl-C in the middle, twice, removes every key and every process", async () => {
  await using server = await startRedis();
  await using client = await connected(server.url);
  await client.set("foreign", "stays");
  await using demo = await Demo.start({
    args: ["--texts", "2000"],
    env: { REDIS_URL: server.url },
  });
  // Paused as soon as it is there: this demo does not get to its end by itself.
  const found = await until(async () => (await client.keys("*:settings"))[0], {
    what: "the settings of the demo's queue",
    timeoutMs: 60_000,
  });
  const settings = found ?? "";
  await client.hSet(settings, "paused", "1");
  const dedup = settings.replace(/settings$/, "dedup");
  await until(async () => (await client.hLen(dedup)) > 0, { what: "texts that wait" });

  demo.signalAll("SIGINT");
  demo.signalAll("SIGINT");
  expect(await demo.end()).toBe(130);
  expect(demo.complaint).toBe("embedq: Interrupted by SIGINT\n");
  expect(flat(demo.output)).toContain("Cleaned up");
  expect(await client.keys("*")).toEqual(["foreign"]);
  expect(await readFlags(client)).toBe("");
  await demo.leavesNothing();
});

test("Ctrl-C ends a demo whose redis-server has heard it too", async () => {
  await using demo = await Demo.start({ args: ["--redis", "private"] });
  await demo.workerPids();
  demo.signalAll("SIGINT");
  expect(await demo.end()).toBe(130);
  expect(demo.complaint).toBe("embedq: Interrupted by SIGINT\n");
  await demo.leavesNothing();
});

test("SIGTERM to npm's child alone ends a demo on its own redis-server", async () => {
  await using demo = await Demo.start({ args: ["--redis", "private"] });
  await demo.workerPids();
  process.kill(demo.pid, "SIGTERM");
  expect(await demo.end()).toBe(143);
  await demo.leavesNothing();
});

test("a worker that dies in the middle ends the demo with an error, and it cleans up", async () => {
  await using server = await startRedis();
  await using client = await connected(server.url);
  await using demo = await Demo.start({ env: { REDIS_URL: server.url } });
  const [pid = 0] = await demo.workerPids();
  process.kill(pid, "SIGKILL");
  expect(await demo.end()).toBe(1);
  expect(demo.complaint).toContain("embedq: worker 1 has ended");
  expect(await client.keys("*")).toEqual([]);
  await demo.leavesNothing();
});

test("npm run demo answers the caller's questions from the caller's files", async () => {
  const folder = await mkdtemp(join(tmpdir(), "embedq-files-"));
  try {
    const file = join(folder, "zoo.txt");
    await writeFile(file, "The otter swims.\n\nThe owl hunts\nat night.\n\nThe hare runs.\n");
    await using demo = await runDemo({
      args: ["--redis", "embedded", "--ask", "Which animal hunts at night?", file],
    });
    expect(demo.complaint).toBe("");
    expect(await demo.end()).toBe(0);
    const output = flat(demo.output);
    expect(output).toContain("3 paragraphs from 1 file");
    expect(output).toMatch(/Which animal hunts at night\? 0\.\d\d The owl hunts at night\./);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("npm run demo says what is wrong with the command line, or with Redis", async () => {
  await using wrong = await runDemo({ args: ["--redis", "mine"] });
  expect(await wrong.end()).toBe(2);
  expect(wrong.complaint).toBe("embedq: --redis must be a URL or one of url, private, embedded\n");
  await using away = await runDemo({ env: { REDIS_URL: "redis://127.0.0.1:1" } });
  expect(await away.end()).toBe(3);
  expect(away.complaint).toContain("embedq: Cannot use Redis at 127.0.0.1:1");
  await away.leavesNothing();
});
