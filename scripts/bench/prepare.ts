// Makes ready what is measured: embedq built, the peers installed, the measuring program bundled.

import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

export const ROOT: string = join(import.meta.dirname, "../..");
const CHILD = join(import.meta.dirname, "child.ts");
const OUT = join(import.meta.dirname, ".build");

/** Builds dist where it is older than what it is made from. */
export async function buildPackage(): Promise<void> {
  const built = changedAt(join(ROOT, "dist/index.js"));
  const sources = readdirSync(join(ROOT, "src"), { recursive: true }).map((path) =>
    join(ROOT, "src", String(path)),
  );
  const isFresh = [...sources, join(ROOT, "package.json"), join(ROOT, "tsup.config.ts")].every(
    (path) => changedAt(path) < built,
  );
  if (!isFresh) await run(ROOT, "npm", "run", "build");
}

/** Installs the peers beside the benchmark, where the lockfile names one that is not there. */
export async function installPeers(): Promise<void> {
  const wanted = readPackages("package-lock.json");
  const installed = readPackages("node_modules/.package-lock.json");
  const areThere = Object.entries(wanted).every(
    ([path, { version, optional, extraneous }]) =>
      path === "" || optional || extraneous || installed[path]?.version === version,
  );
  if (areThere) return;
  console.error("Installing the queues to compare with, once …");
  // Never npm ci: it refuses a lockfile that lacks some foreign platform's optional packages.
  await run(import.meta.dirname, "npm", "install", "--no-save", "--no-audit", "--no-fund");
}

/** The versions that the lockfile names. */
export function peerVersions(): Record<string, string> {
  const names = ["bullmq", "ioredis", "dataloader", "bee-queue", "groupmq"];
  const packages = readPackages("package-lock.json");
  return Object.fromEntries(
    names.map((name) => [name, packages[`node_modules/${name}`]?.version ?? "unknown"]),
  );
}

/** Bundles the measuring program to JavaScript that all runtimes read; the path of it. */
export async function bundleChild(): Promise<string> {
  const built = await Bun.build({
    entrypoints: [CHILD],
    outdir: OUT,
    naming: "[name].mjs",
    target: "node",
    format: "esm",
  });
  if (!built.success) throw new AggregateError(built.logs, "The measuring program does not build");
  return join(OUT, "child.mjs");
}

/** Where a peer dependency is optional, npm writes it into the lockfile as extraneous and installs it not. */
interface Package {
  readonly version: string;
  readonly optional?: boolean;
  readonly extraneous?: boolean;
}
type Packages = Readonly<Record<string, Package>>;

function readPackages(path: string): Packages {
  try {
    const lockfile: unknown = JSON.parse(readFileSync(join(import.meta.dirname, path), "utf8"));
    return (lockfile as { packages: Packages }).packages;
  } catch {
    return {};
  }
}

function changedAt(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

async function run(cwd: string, ...command: string[]): Promise<void> {
  const child = Bun.spawn(command, { cwd, stdout: "ignore", stderr: "pipe" });
  const errors = await new Response(child.stderr).text();
  if ((await child.exited) !== 0) throw new Error(`${command.join(" ")} failed:\n${errors}`);
}
