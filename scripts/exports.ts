// Checks that npm and JSR ship the same thing: the same entry points, and one version everywhere.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { VERSION } from "../src/version.ts";

interface Manifest {
  readonly version: string;
  readonly exports: Readonly<Record<string, unknown>>;
}

const ROOT = join(import.meta.dirname, "..");
const npm = read("package.json");
const jsr = read("jsr.json");
const faults: string[] = [];

for (const entry of Object.keys(npm.exports)) {
  if (entry !== "./package.json" && !(entry in jsr.exports)) {
    faults.push(`package.json exports ${entry}, jsr.json does not`);
  }
}
for (const [entry, source] of Object.entries(jsr.exports)) {
  if (!(entry in npm.exports)) faults.push(`jsr.json exports ${entry}, package.json does not`);
  if (!existsSync(join(ROOT, String(source)))) {
    faults.push(`jsr.json exports ${entry} from ${source}, which does not exist`);
  }
}
for (const [file, version] of [
  ["jsr.json", jsr.version],
  ["src/version.ts", VERSION],
]) {
  if (version !== npm.version) {
    faults.push(`${file} has version ${version}, package.json ${npm.version}`);
  }
}

for (const fault of faults) console.error(fault);
if (faults.length > 0) process.exit(1);
console.log(`${Object.keys(jsr.exports).join(", ")} at version ${npm.version}`);

function read(file: string): Manifest {
  return JSON.parse(readFileSync(join(ROOT, file), "utf8")) as Manifest;
}
