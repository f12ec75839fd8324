// The files of examples/ do what they say, on each runtime, from the installed package. Node gets
// them without types, as Node 20 does not take them off itself.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startRedis } from "../helpers/redis.ts";
import { until } from "../helpers/until.ts";
import { API_KEY, startOpenAI } from "../providers/servers/openai.ts";
import { type InstalledPackage, installPackage } from "../runtimes/package.ts";
import { ROOT, textOf } from "./examples.ts";
import { linkForUsers } from "./installed.ts";

const RUNTIMES = ["bun", "deno", "node"] as const;
type Runtime = (typeof RUNTIMES)[number];

const COMMANDS: Readonly<Record<Runtime, readonly string[]>> = {
  bun: [process.execPath],
  deno: [join(ROOT, "node_modules/.bin/deno"), "run", "-A", "--no-remote", "--quiet"],
  node: ["node"],
};

const ARTICLES = [
  { key: "article:1", text: "A stream keeps its entries in the order of their arrival" },
  { key: "article:2", text: "Bread rises slowly in a cold kitchen" },
  { key: "article:3", text: "" },
];

let installed: InstalledPackage;
beforeAll(async () => {
  installed = await installPackage();
  await linkForUsers(installed.dir);
  const types = new Bun.Transpiler({ loader: "ts" });
  for (const name of await readdir(join(ROOT, "examples"))) {
    if (!name.endsWith(".ts")) continue;
    const code = await textOf(join("examples", name));
    await writeFile(join(installed.dir, name), code);
    await writeFile(join(installed.dir, name.replace(".ts", ".mjs")), types.transformSync(code));
  }
  await writeFile(
    join(installed.dir, "articles.jsonl"),
    ARTICLES.map((article) => `${JSON.stringify(article)}\n`).join(""),
  );
}, 300_000);
afterAll(() => installed[Symbol.asyncDispose]());

test.each(RUNTIMES)(
  "the web server enqueues, the worker embeds, and both end in order, on %s",
  async (runtime) => {
    await using redis = await startRedis();
    await using worker = start(runtime, "worker", { REDIS_URL: redis.url });
    await worker.says("ready");
    await using server = start(runtime, "web-server", { REDIS_URL: redis.url, PORT: "0" });
    const [, port] = /listening on (\d+)/.exec(await server.says("listening on")) ?? [];
    const url = `http://127.0.0.1:${port}/articles/7`;

    const posted = await fetch(url, { method: "POST", body: "Streams keep order" });
    expect(posted.status).toBe(202);
    const ticket = (await posted.json()) as { key: string; version: number };
    expect(ticket).toEqual({ key: "article:7", version: expect.any(Number) });
    const got = await fetch(`${url}?version=${ticket.version}`);
    expect(await got.json()).toEqual({ key: "article:7", status: "embedded", dimensions: 256 });
    expect((await fetch(`${url}?version=0`)).status).toBe(400);
    expect((await fetch(url.replace("articles", "nothing"))).status).toBe(404);

    expect(await server.stop()).toBe(0);
    expect(await worker.stop()).toBe(0);
    expect(worker.output).toContain("stopped");
  },
  60_000,
);

test.each(RUNTIMES)(
  "the script embeds a file and ends, the search finds it, on %s",
  async (runtime) => {
    await using redis = await startRedis();
    const env = { REDIS_URL: redis.url };
    await using script = start(runtime, "script", env, ["articles.jsonl"]);
    expect(await script.ended()).toBe(0);
    expect(script.output).toBe("3 texts, 0 left, 0 dead letters\n");
    await using search = start(runtime, "search", env, ["in what order do entries arrive?"]);
    expect(await search.ended()).toBe(0);
    // The blank text is near to nothing, and not listed.
    expect(search.output).toMatch(/^0\.\d{3} {2}article:1\n-?0\.\d{3} {2}article:2\n$/);
  },
  60_000,
);

// The AI SDK on the other runtimes: test/runtimes/ai-sdk.test.ts.
test("the model of the AI SDK gets both texts in one call", async () => {
  await using redis = await startRedis();
  await using openAI = await startOpenAI();
  const env = {
    REDIS_URL: redis.url,
    OPENAI_API_KEY: API_KEY,
    OPENAI_BASE_URL: `${openAI.url}/v1`,
  };
  await using example = start("bun", "ai-sdk", env);
  expect(await example.ended()).toBe(0);
  expect(example.output).toMatch(
    /^article:1: 1536 numbers\narticle:2: 1536 numbers\n1 call, \d+ tokens\n$/,
  );
  expect(openAI.received.length).toBe(1);
  expect(openAI.violations).toEqual([]);
}, 60_000);

/** Starts an example; it is ended with the test. */
function start(
  runtime: Runtime,
  example: string,
  env: Readonly<Record<string, string>>,
  args: readonly string[] = [],
) {
  const file = `${example}.${runtime === "node" ? "mjs" : "ts"}`;
  const child = Bun.spawn([...COMMANDS[runtime], file, ...args], {
    cwd: installed.dir,
    env: { ...process.env, DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1", ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  let output = "";
  const read = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) output += decoder.decode(chunk, { stream: true });
  };
  const reading = Promise.all([read(child.stdout), read(child.stderr)]);
  const ended = async () => {
    await reading;
    const code = await child.exited;
    if (code !== 0) throw new Error(`${example} ended with ${code} on ${runtime}:\n${output}`);
    return code;
  };
  return {
    get output() {
      return output;
    },
    /** Waits until it has printed this, or has ended; all that it has printed. */
    async says(text: string) {
      const what = `"${text}" from ${example}`;
      const hasSaid = () => output.includes(text) || child.exitCode !== null;
      await until(hasSaid, { what, timeoutMs: 20_000 });
      return output;
    },
    ended,
    async stop() {
      child.kill("SIGTERM");
      return ended();
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}
