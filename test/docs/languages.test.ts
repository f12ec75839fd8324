// From other languages: the commands of the page, sent as they stand there through a plain TCP
// connection, do what the library does; and so does the Python, where Python can run it.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hashing } from "../../src/providers/index.ts";
import { testScope } from "../helpers/scope.ts";
import { examplesOf, ROOT, textOf } from "./examples.ts";

const PAGE = "docs/guides/from-other-languages.md";
const NAME = "articles";

const blocks = await examplesOf(PAGE);
const codeIn = (language: string) =>
  blocks.filter((block) => block.language === language).map(({ code }) => code);

test("the sequence of commands enqueues a text that a worker embeds", async () => {
  await using scope = await testScope();
  const embedder = hashing({ dimensions: 8 });
  const { model, dimensions } = embedder;
  const reader = await scope.queue({ name: NAME, model, dimensions, flushIntervalMs: 0 });
  const [lines = ""] = codeIn("redis");
  const [settings, version, enqueue, look] = lines.trim().split("\n") as Lines;
  using redis = await Resp.open(scope.server.port);
  const sha = await redis.send(["SCRIPT", "LOAD", await textOf("docs/enqueue.lua")]);

  const [protocol, ...space] = (await redis.send(wordsOf(settings))) as (string | null)[];
  expect(protocol).toBe("1");
  const floor = (await redis.send(wordsOf(version))) ?? "0";
  const values = { sha: String(sha), space: space.map((part) => part ?? "").join("\n") };
  const send = (change: (words: string[]) => string[] = (words) => words) =>
    redis.send(change(wordsOf(enqueue, { ...values, floor: String(floor) }))) as Promise<string[]>;
  // Five arguments about the call, then the key and the text.
  const withText = (text: string) => (words: string[]) => words.with(-1, text);

  const first = await send();
  expect(first).toEqual(["ok", "1", expect.stringMatching(/^\d+$/)]);
  const coalesced = expect.stringMatching(new RegExp(`^same ${first[2]} \\d+-\\d+$`));
  expect(await send()).toEqual(["ok", "0", coalesced]);
  const newer = await send(withText("Groups hand out entries"));
  expect(newer.slice(0, 2)).toEqual(["ok", "0"]);
  expect(Number(newer[2])).toBeGreaterThan(Number(first[2]));
  const blank = await send((words) => words.with(-2, "doc:blank").with(-1, ""));
  const [kind, blankVersion] = (blank[2] ?? "").split(" ");
  expect(kind).toBe("blankQueued");

  await scope.worker({ name: NAME, embedder });
  const outcome = await reader.ticket("doc:1", Number(newer[2])).outcome();
  expect(outcome).toMatchObject({ status: "embedded", version: Number(newer[2]) });
  expect(await reader.ticket("doc:1", Number(first[2])).outcome()).toMatchObject({
    superseded: true,
  });
  expect(await reader.ticket("doc:blank", Number(blankVersion)).outcome()).toMatchObject({
    status: "blank",
  });
  const [status, stored, bytes] = (await redis.send(wordsOf(look))) as string[];
  expect([status, stored]).toEqual(["embedded", newer[2]]);
  // Latin-1: a character for each byte.
  const vector = new Float32Array(new Uint8Array(Buffer.from(bytes ?? "", "latin1")).buffer);
  expect([...vector]).toEqual([...((await embedder.embed(["Groups hand out entries"]))[0] ?? [])]);

  // What the page says of a queue that does not exist, or has another model by now.
  const elsewhere = (words: string[]) => words.map((word) => word.replace(`{${NAME}}`, "{other}"));
  expect(await send(elsewhere)).toEqual(["settings"]);
  expect(await send((words) => words.with(12, "another\n8\n"))).toEqual(["settings"]);
});

type Lines = [string, string, string, string];

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "embedq-python-"));
});
afterAll(() => rm(dir, { recursive: true }));

const python = (code: string, env: Record<string, string> = {}) =>
  spawnSync("python3", ["-c", code], {
    cwd: dir,
    encoding: "utf8",
    env: { ...process.env, ...env },
  });
const hasPython = Bun.which("python3") !== null;
const hasModules = hasPython && python("import redis, numpy").status === 0;

test.skipIf(!hasPython)("the Python of the page has no fault of syntax", async () => {
  const codes = codeIn("python");
  expect(codes.length).toBe(3);
  await writeFile(join(dir, "page.json"), JSON.stringify(codes));
  const check = "import ast, json\nfor code in json.load(open('page.json')): ast.parse(code)";
  expect(python(check).stderr).toBe("");
});

test.skipIf(!hasModules)("the Python of the page enqueues and reads", async () => {
  await using scope = await testScope();
  const embedder = hashing({ dimensions: 8 });
  await scope.worker({ name: NAME, embedder, flushIntervalMs: 0 });
  await writeFile(join(dir, "enqueue.lua"), await textOf("docs/enqueue.lua"));
  const [read = "", , produce = ""] = codeIn("python");
  const story = `
import time
producer = Producer(client, "${NAME}")
version = producer.enqueue("doc:1", "Streams keep order")
deadline = time.time() + 20
while int(client.hget("doc:1", "embedding_version") or 0) < version:
    assert time.time() < deadline
    time.sleep(0.01)
assert embedding_of("doc:2") is None
print(list(map(float, embedding_of("doc:1"))))
`;
  const code = `${read}\n${produce}\n${story}`.replaceAll("redis://127.0.0.1:6379", scope.url);
  const { stdout, stderr } = await runAside(code);
  expect(stderr).toBe("");
  expect(JSON.parse(stdout)).toEqual([
    ...((await embedder.embed(["Streams keep order"]))[0] ?? []),
  ]);
});

test.skipIf(!hasPython)("the Python of the page enqueues by the command line", async () => {
  await using scope = await testScope();
  const queue = await scope.queue({ ...spaceOf(hashing()) });
  const [, enqueueAll = ""] = codeIn("python");
  const cli = JSON.stringify([process.execPath, join(ROOT, "src/cli/main.ts"), "enqueue", "-"]);
  const code = enqueueAll.replace('["embedq", "enqueue", "-"]', cli);
  expect(code).not.toBe(enqueueAll);
  const { stderr } = await runAside(
    `${code}\nenqueue_all([("doc:1", "one"), ("doc:2", "two")])\n`,
    { REDIS_URL: scope.url, EMBEDQ_NAME: scope.name },
  );
  expect(stderr).not.toContain("Traceback");
  expect(await queue.pendingCount()).toBe(2);
});

function spaceOf({ model, dimensions }: { model: string; dimensions: number }) {
  return { model, dimensions };
}

/** Python beside this process, whose worker has to go on. */
async function runAside(code: string, env: Record<string, string> = {}) {
  const child = Bun.spawn(["python3", "-c", code], {
    cwd: dir,
    env: { ...process.env, ...env },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { stdout, stderr };
}

/** The words of a command as redis-cli would read them, with values in the place of `<names>`. */
function wordsOf(line: string, values: Readonly<Record<string, string>> = {}): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare = ""]) => {
    const word = quoted ?? bare;
    const [, name = ""] = /^<(\w+)>$/.exec(word) ?? [];
    if (name !== "" && values[name] === undefined) throw new Error(`no value for <${name}>`);
    return values[name] ?? word;
  });
}

type Reply = string | null | Reply[];

/** A client of Redis' protocol with nothing of a library: a socket, RESP2, one command at a time. */
class Resp {
  readonly #socket: Socket;
  #buffer = "";

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  static async open(port: number): Promise<Resp> {
    const socket = connect(port, "127.0.0.1").setEncoding("latin1");
    await once(socket, "connect");
    return new Resp(socket);
  }

  async send(words: readonly string[]): Promise<Reply> {
    const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
    this.#socket.write(`*${words.length}\r\n${parts.join("")}`);
    return this.#read();
  }

  async #read(): Promise<Reply> {
    const line = await this.#take("\r\n");
    const [kind, rest] = [line[0], line.slice(1)];
    if (kind === "-") throw new Error(rest);
    if (kind === "$") return Number(rest) < 0 ? null : this.#takeBytes(Number(rest));
    if (kind !== "*") return rest;
    const list: Reply[] = [];
    for (let i = 0; i < Number(rest); i++) list.push(await this.#read());
    return list;
  }

  async #take(end: string): Promise<string> {
    while (!this.#buffer.includes(end)) await this.#more();
    const at = this.#buffer.indexOf(end);
    return this.#cut(at, end.length);
  }

  async #takeBytes(count: number): Promise<string> {
    while (this.#buffer.length < count + 2) await this.#more();
    return this.#cut(count, 2);
  }

  #cut(length: number, more: number): string {
    const found = this.#buffer.slice(0, length);
    this.#buffer = this.#buffer.slice(length + more);
    return found;
  }

  async #more(): Promise<void> {
    const [chunk] = (await once(this.#socket, "data")) as [string];
    this.#buffer += chunk;
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}
