// The package as npm would install it: packed, unpacked into a folder of its own, dependencies linked,
// and newer clients that its user may have.

import { cp, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "../..");

export interface InstalledPackage extends AsyncDisposable {
  /** A project folder with embedq in its `node_modules`, and the helper scripts beside it. */
  readonly dir: string;
}

/** Builds if `dist` is older than what it is made from, and installs what `npm pack` makes of it. */
export async function installPackage(): Promise<InstalledPackage> {
  const dir = await mkdtemp(join(tmpdir(), "embedq-package-"));
  const tarball = await packInto(dir);
  const modules = join(dir, "node_modules");
  await mkdir(join(modules, "embedq"), { recursive: true });
  await run(dir, "tar", "-xzf", tarball, "-C", join(modules, "embedq"), "--strip-components=1");
  for (const name of ["redis", "redis-5", "redis-6", "valibot"]) {
    await symlink(join(ROOT, "node_modules", name), join(modules, name));
  }
  for (const name of await readdir(import.meta.dir)) {
    if (name.endsWith(".mjs")) await cp(join(import.meta.dir, name), join(dir, name));
  }
  const manifest = { private: true, type: "module", dependencies: { embedq: "*" } };
  await writeFile(join(dir, "package.json"), JSON.stringify(manifest));
  return {
    dir,
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }),
  };
}

/** Builds if `dist` is older than what it is made from; the path of what `npm pack` makes of it. */
export async function packInto(dir: string): Promise<string> {
  if (!(await isBuilt())) await run(ROOT, "npm", "run", "build");
  await run(ROOT, "npm", "pack", "--ignore-scripts", "--pack-destination", dir);
  const [tarball = ""] = (await readdir(dir)).filter((name) => name.endsWith(".tgz"));
  return join(dir, tarball);
}

async function isBuilt(): Promise<boolean> {
  const files = ["dist/index.js", "dist/index.d.ts", "dist/cli.js"];
  const built = Math.min(
    ...(await Promise.all(files.map((file) => changedAt(file).catch(() => 0)))),
  );
  const sources = await readdir(join(ROOT, "src"), { recursive: true });
  const paths = [
    "package.json",
    "tsup.config.ts",
    "scripts/bundling.ts",
    ...sources.map((path) => join("src", path)),
  ];
  const changes = await Promise.all(paths.map(changedAt));
  return changes.every((change) => change < built);
}

async function changedAt(path: string): Promise<number> {
  return (await stat(join(ROOT, path))).mtimeMs;
}

async function run(cwd: string, ...command: string[]): Promise<void> {
  const child = Bun.spawn(command, { cwd, stdout: "ignore", stderr: "pipe" });
  const errors = await new Response(child.stderr).text();
  if ((await child.exited) !== 0) throw new Error(`${command.join(" ")} failed:\n${errors}`);
}
