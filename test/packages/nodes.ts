// Other versions of Node, as npm has them: each in a folder of its own, installed when it is missing.

import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { run } from "./run.ts";

/** 150 MB and more each: kept from one run to the next. */
const CACHE = join(import.meta.dir, "../../node_modules/.cache/embedq-node");

/** The program of this version, of which npm has a package for each platform. */
export async function nodeOf(version: string): Promise<string> {
  const platform = process.platform === "win32" ? "win" : process.platform;
  const name = `node-${platform}-${process.arch}`;
  const folder = join(CACHE, version);
  const program = join(folder, "node_modules", name, "bin", "node");
  if (existsSync(program)) return program;
  await mkdir(CACHE, { recursive: true });
  // Moved into its place when it is whole: a run that is cut short leaves nothing half done there.
  const draft = await mkdtemp(join(CACHE, `draft-${version}-`));
  try {
    await run([
      "npm",
      "install",
      "--no-audit",
      "--no-fund",
      "--prefix",
      draft,
      `${name}@${version}`,
    ]);
    await rename(draft, folder).catch((error: unknown) => {
      // Another run was quicker.
      if (!existsSync(program)) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return program;
}
