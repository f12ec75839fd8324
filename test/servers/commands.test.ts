// Nothing newer than Redis 6.2 is sent, from a process or from a script: what a real server is asked in
// the main stories, and what the sources name, is compared with that server's own table of commands.

import { expect, test } from "bun:test";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Scope, testScope } from "../helpers/scope.ts";
import { until } from "../helpers/until.ts";
import { mainStories, takeOver } from "./stories.ts";

const SRC = join(import.meta.dir, "../../src");
const NEWEST = [6, 2];
/** What the client of node-redis sends by itself, and nothing depends on. */
const OWN_OF_CLIENT = new Set(["client|setinfo"]);

/** Words that begin a list in the sources and are no commands. */
const OPTIONS = ["COUNT"];

/** Newer forms that the table of Redis 7.0 tells in words only. */
const UNDATED: readonly [name: RegExp, word: RegExp][] = [
  [/^xgroup\|/, /^ENTRIESREAD$/i],
  [/^xadd$/, /^\d+-\*$/],
];

interface Documented {
  readonly since: string;
  /** Words of options that are newer than what may be used. */
  readonly newerOptions: ReadonlySet<string>;
}

type Docs = readonly (string | readonly unknown[])[];

function isNewer(since: unknown): boolean {
  const [major = 0, minor = 0] = String(since).split(".").map(Number);
  return major > (NEWEST[0] ?? 0) || (major === NEWEST[0] && minor > (NEWEST[1] ?? 0));
}

function pairs(flat: readonly unknown[]): Map<string, unknown> {
  const map = new Map<string, unknown>();
  for (let at = 0; at < flat.length; at += 2) map.set(String(flat[at]), flat[at + 1]);
  return map;
}

function newerOptions(args: readonly (readonly unknown[])[], isInNewer = false): string[] {
  return args.flatMap((argument) => {
    const found = pairs(argument);
    const newer = isInNewer || isNewer(found.get("since") ?? "0");
    const inner = newerOptions(
      (found.get("arguments") ?? []) as readonly (readonly unknown[])[],
      newer,
    );
    const token = found.get("token");
    return newer && token !== undefined ? [String(token).toUpperCase(), ...inner] : inner;
  });
}

/** The server's own table: for each command the version it came with, and its newer options. */
async function documented(scope: Scope): Promise<Map<string, Documented>> {
  const table = new Map<string, Documented>();
  const read = (docs: Docs): void => {
    for (let at = 0; at < docs.length; at += 2) {
      const found = pairs(docs[at + 1] as readonly unknown[]);
      const args = (found.get("arguments") ?? []) as readonly (readonly unknown[])[];
      table.set(String(docs[at]).toLowerCase(), {
        since: String(found.get("since")),
        newerOptions: new Set(newerOptions(args)),
      });
      read((found.get("subcommands") ?? []) as Docs);
    }
  };
  read((await scope.client.sendCommand(["COMMAND", "DOCS"])) as unknown as Docs);
  return table;
}

/** A command's name in the table: with its subcommand, where it has some. */
function nameIn(table: ReadonlyMap<string, Documented>, words: readonly string[]): string {
  const [command = "", sub = ""] = words.map((word) => word.toLowerCase());
  return table.has(`${command}|${sub}`) ? `${command}|${sub}` : command;
}

/** What is wrong with a command, if anything. */
function fault(
  table: ReadonlyMap<string, Documented>,
  words: readonly string[],
): string | undefined {
  const name = nameIn(table, words);
  const entry = table.get(name);
  if (entry === undefined) return `${name} is unknown`;
  if (isNewer(entry.since)) return `${name} came with ${entry.since}`;
  // A script's source and arguments are no options.
  if (name === "eval" || name === "evalsha") return undefined;
  const option = words.find(
    (word) =>
      entry.newerOptions.has(word.toUpperCase()) ||
      UNDATED.some(([command, form]) => command.test(name) && form.test(word)),
  );
  return option === undefined ? undefined : `${name} has ${option} only since a newer version`;
}

async function watchAll(port: number): Promise<{ readonly seen: string[][]; end(): void }> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  const lines = createInterface({ input: socket });
  socket.write("MONITOR\r\n");
  await once(lines, "line");
  const seen: string[][] = [];
  lines.on("line", (line) => {
    const rest = line.replace(/^\+[\d.]+ \[.*?\] /, "");
    seen.push([...rest.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, word = ""]) => word));
  });
  return { seen, end: () => socket.destroy() };
}

test("the table tells newer commands and options from older ones", async () => {
  await using scope = await testScope();
  const table = await documented(scope);
  expect(fault(table, ["EXPIRETIME", "key"])).toContain("7.0");
  expect(fault(table, ["EXPIRE", "key", "1", "NX"])).toContain("NX");
  expect(fault(table, ["XGROUP", "CREATE", "s", "g", "0", "ENTRIESREAD", "1"])).toContain(
    "ENTRIESREAD",
  );
  expect(fault(table, ["CLIENT", "NO-EVICT", "on"])).toContain("7.0");
  expect(fault(table, ["XAUTOCLAIM", "s", "g", "c", "0", "0-0", "JUSTID"])).toBeUndefined();
  expect(fault(table, ["NOSUCH"])).toContain("unknown");
});

test("what is sent in the main stories is in Redis 6.2, with its options", async () => {
  await using scope = await testScope();
  const table = await documented(scope);
  const watch = await watchAll(scope.server.port);
  try {
    await mainStories(scope.url, scope.name, scope.client);
    await takeOver(scope.url, `${scope.name}-2`, scope.client);
    await scope.client.sendCommand(["ECHO", "the end"]);
    await until(() => watch.seen.some((words) => words[1] === "the end"), { what: "the end" });
  } finally {
    watch.end();
  }
  const names = new Set(watch.seen.map((words) => nameIn(table, words)));
  // From a process, and from scripts. MONITOR does not show CONFIG, the next test finds it.
  for (const name of [
    "evalsha",
    "subscribe",
    "client|info",
    "xautoclaim",
    "xinfo|groups",
    "scan",
  ]) {
    expect(names).toContain(name);
  }
  const foreign = watch.seen.filter((words) => !OWN_OF_CLIENT.has(nameIn(table, words)));
  expect([...new Set(foreign.map((words) => fault(table, words)))]).toEqual([undefined]);
}, 120_000);

test("every command that the sources name is in Redis 6.2, and in the protocol's list", async () => {
  await using scope = await testScope();
  const table = await documented(scope);
  const files = await readdir(join(SRC, "redis"), { recursive: true });
  const flow = await readdir(join(SRC, "flow"));
  const paths = [
    ...files.map((file) => join("redis", file)),
    ...flow.map((file) => join("flow", file)),
  ];
  const named = new Set<string>();
  for (const path of paths.filter((name) => /\.ts$/.test(name) && !name.endsWith("failures.ts"))) {
    const source = await readFile(join(SRC, path), "utf8");
    const inLua = source.matchAll(/redis\.p?call\(\s*'([A-Za-z]+)'/g);
    const inPages = source.matchAll(/\beach\(\w+, '([A-Z]+)'/g);
    const inTypeScript = source.matchAll(/\[\s*"([A-Z]{3,})"\s*,|\["([A-Z]{3,})"\]/g);
    for (const [, a, b] of [...inLua, ...inPages, ...inTypeScript]) named.add(String(a ?? b));
  }
  for (const option of OPTIONS) named.delete(option);
  expect(named.size).toBeGreaterThan(25);
  expect([...named].flatMap((name) => fault(table, [name]) ?? [])).toEqual([]);
  const protocol = await readFile(join(SRC, "../docs/PROTOCOL.md"), "utf8");
  const [, listed = ""] = protocol.split("## Commands used");
  expect([...named].filter((name) => !new RegExp(`\\b${name}\\b`).test(listed)).toSorted()).toEqual(
    [],
  );
});
