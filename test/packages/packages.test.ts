// The tarball, installed by npm in an empty folder as a user does, at work on every runtime: the
// library, the command line with its own processes, and the types.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VERSION } from "../../src/index.ts";
import { testScope } from "../helpers/scope.ts";
import { packInto } from "../runtimes/package.ts";
import { CONSUMER } from "./consumer.ts";
import { nodeOf } from "./nodes.ts";
import { run } from "./run.ts";

const ROOT = join(import.meta.dir, "../..");
const BIN = join(ROOT, "node_modules/.bin");
const DENO = ["run", "-A", "--no-remote", "--quiet"];

const RUNTIMES: Record<string, () => Promise<string[]>> = {
  bun: () => Promise.resolve([process.execPath]),
  deno: () => Promise.resolve([join(BIN, "deno"), ...DENO]),
  "this machine's node": () => Promise.resolve([Bun.which("node") ?? "node"]),
  "node 22": async () => [await nodeOf("22")],
  "node 26": async () => [await nodeOf("26")],
};

let dir: string;
const packageFolder = () => join(dir, "node_modules/embedq");

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "embedq-installed-"));
  const tarball = await packInto(dir);
  await writeFile(join(dir, "package.json"), '{ "private": true, "type": "module" }');
  await run(["npm", "install", "--no-audit", "--no-fund", "--prefer-offline", tarball], {
    cwd: dir,
  });
  const texts = [
    { id: "streams", text: "Streams keep their entries in order" },
    { id: "sets", text: "Sorted sets rank members by a score" },
  ];
  await writeFile(join(dir, "texts.jsonl"), texts.map((text) => JSON.stringify(text)).join("\n"));
  for (const helper of ["roundtrip.mjs", "lines.mjs"]) {
    await cp(join(ROOT, "test/runtimes", helper), join(dir, helper));
  }
}, 300_000);
afterAll(() => rm(dir, { recursive: true, force: true }));

describe.each(Object.keys(RUNTIMES))("on %s", (runtime) => {
  let words: string[];
  beforeAll(async () => {
    words = (await RUNTIMES[runtime]?.()) ?? [];
  }, 300_000);

  test("the command line enqueues a file, drains the queue, and finds what it has embedded", async () => {
    await using scope = await testScope();
    const embedq = (...args: string[]) =>
      run([...words, join(packageFolder(), "dist/cli.js"), ...args], {
        cwd: dir,
        env: {
          EMBEDQ_REDIS: scope.url,
          EMBEDQ_NAME: scope.name,
          EMBEDQ_PROVIDER: "hashing",
          EMBEDQ_DIMENSIONS: "64",
        },
        mayFail: true,
      });
    expect(await embedq("--version")).toEqual({ code: 0, stdout: `${VERSION}\n`, stderr: "" });
    const enqueued = await embedq(
      "enqueue",
      "texts.jsonl",
      "--key-template",
      "doc:{id}",
      "--quiet",
    );
    expect(enqueued).toMatchObject({ code: 0, stderr: "" });
    const drained = await embedq("drain", "--quiet");
    expect(drained).toMatchObject({ code: 0, stderr: "" });
    const found = await embedq("search", "in which order are streams", "--limit", "1", "--quiet");
    expect(found).toMatchObject({ code: 0, stderr: "" });
    expect(found.stdout).toContain("doc:streams");
    expect(found.stdout).not.toContain("doc:sets");
    expect((await embedq("stats", "--frobnicate")).code).toBe(2);
  }, 60_000);

  test("embedq demo works without any Redis: its server, its workers, its texts are in the package", async () => {
    const { stdout, stderr } = await run(
      [...words, join(packageFolder(), "dist/cli.js"), "demo", "--texts", "120", "--json"],
      { cwd: dir, env: { PATH: await emptyPath() } },
    );
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toMatchObject({
      texts: 120,
      embedded: 120,
      right: 120,
      left: { stream: 0, group: 0, dedup: 0, retries: 0, "dead letters": 0 },
    });
  }, 60_000);

  test("the library enqueues, embeds, waits and reads", async () => {
    await using scope = await testScope();
    const child = Bun.spawn([...words, "roundtrip.mjs", scope.url, scope.name, "doc:1", "A text"], {
      cwd: dir,
      stdin: new Blob(["stop\n"]),
      stdout: "pipe",
      stderr: "pipe",
    });
    const [stdout, stderr, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ version: VERSION, flushed: { done: true } });
  }, 60_000);
});

test("npm links the command", async () => {
  const bin = join(dir, "node_modules/.bin/embedq");
  expect((await run([bin, "--version"], { cwd: dir })).stdout).toBe(`${VERSION}\n`);
});

test("the package has two dependencies, and the licences of what is bundled", async () => {
  const read = (file: string) => readFile(join(packageFolder(), file), "utf8");
  const { dependencies } = JSON.parse(await read("package.json")) as Record<string, object>;
  expect(Object.keys(dependencies ?? {})).toEqual(["redis", "valibot"]);
  const notices = await read("dist/THIRD-PARTY-LICENSES.txt");
  for (const name of ["commander", "@bomb.sh/tab", "picocolors", "js-redis-server"]) {
    expect(notices).toContain(`\n${name} `);
  }
  for (const entry of ["index", "providers"]) {
    const imported = [...(await read(`dist/${entry}.js`)).matchAll(/ from "([^"]+)"/g)];
    const names = new Set(imported.map(([, name = ""]) => name.replace(/^\.\/.*/, "own")));
    for (const name of names) {
      expect(["own", "redis", "valibot"].includes(name) || /^[a-z_/]+$|^node:/.test(name)).toBe(
        true,
      );
    }
  }
});

test.each([
  ["bundler", "esnext"],
  ["nodenext", "nodenext"],
])(
  "the types hold with moduleResolution %s and without skipLibCheck",
  async (resolution, module) => {
    const folder = join(dir, `types-${resolution}`);
    await mkdir(folder);
    await writeFile(join(folder, "consumer.ts"), CONSUMER);
    await mkdir(join(dir, "node_modules/@types"), { recursive: true });
    for (const name of ["@types/node", "undici-types"]) {
      await symlink(join(ROOT, "node_modules", name), join(dir, "node_modules", name)).catch(
        () => {},
      );
    }
    const compilerOptions = {
      module,
      moduleResolution: resolution,
      target: "es2022",
      lib: ["es2022", "dom"],
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      noEmit: true,
      types: ["node"],
    };
    await writeFile(join(folder, "package.json"), '{ "type": "module" }');
    await writeFile(
      join(folder, "tsconfig.json"),
      JSON.stringify({ compilerOptions, include: ["consumer.ts"] }),
    );
    const { stdout, code } = await run(
      [process.execPath, join(ROOT, "node_modules/typescript/bin/tsc"), "-p", folder],
      {
        cwd: folder,
        mayFail: true,
      },
    );
    expect(stdout).toBe("");
    expect(code).toBe(0);
  },
  120_000,
);

/** A PATH without redis-server: an empty folder. */
async function emptyPath(): Promise<string> {
  const folder = join(dir, "empty");
  await mkdir(folder, { recursive: true });
  expect(await readdir(folder)).toEqual([]);
  return folder;
}
