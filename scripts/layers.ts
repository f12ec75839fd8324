// Checks the shape of src/: who may import whom, no import cycles, no long files. Prints the median length.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import ts from "typescript";

interface Layer {
  /** Which files of src/ the row is about. A name that ends in / stands for the whole folder. */
  readonly of: readonly string[];
  /** What of src/ they may import. */
  readonly files?: readonly string[];
  /** Which packages and node: modules they may import; node:* stands for all of those. */
  readonly packages?: readonly string[];
}

/** What a user holds, and what lays the stages together behind it. They may import each other. */
const DOORS = ["queue.ts", "upkeep.ts", "worker.ts", "ticket.ts"];
const MACHINERY = [
  "session.ts",
  "intake.ts",
  "agenda.ts",
  "drain.ts",
  "pipeline.ts",
  "doorbell.ts",
  "endings.ts",
  "limits.ts",
  "outlook.ts",
  "pauses.ts",
  "persistence.ts",
  "places.ts",
  "plan.ts",
  "provider.ts",
  "renewal.ts",
  "sleeper.ts",
  "vector-cache.ts",
];

/** Libraries of the command line; they are bundled into it (docs/adr/0016). */
const CLI_PACKAGES = ["commander", "@bomb.sh/tab", "picocolors"];

/** The table. For each file the first row that names it counts; a file that no row names is a fault. */
const TABLE: readonly Layer[] = [
  { of: ["version.ts"] },
  { of: ["model/digest.ts"], files: ["model/"], packages: ["valibot", "node:crypto"] },
  { of: ["model/signals.ts"], packages: ["node:events"] },
  { of: ["model/"], files: ["model/"], packages: ["valibot"] },
  {
    of: ["redis/connection.ts"],
    files: ["model/", "redis/"],
    packages: ["redis", "node:buffer"],
  },
  {
    of: ["redis/newer-client.ts"],
    packages: ["node:buffer"],
  },
  { of: ["redis/"], files: ["model/", "redis/"] },
  { of: ["flow/batch.ts", "flow/call.ts"], files: ["model/"] },
  { of: ["flow/embed.ts"], files: ["model/", "flow/call.ts"] },
  { of: ["flow/enqueue.ts"], files: ["model/", "redis/", "flow/accept.ts"] },
  { of: ["flow/"], files: ["model/", "redis/"] },
  { of: ["session.ts"], files: ["model/", "redis/", "flow/"] },
  { of: MACHINERY, files: ["model/", "flow/", ...MACHINERY] },
  { of: DOORS, files: ["model/", "flow/", ...MACHINERY, ...DOORS] },
  // Of a session it takes only what the option `redis` may be: a session would not open where it must look.
  {
    of: ["doctor/"],
    files: ["model/", "redis/", "flow/tidy.ts", "session.ts", "doctor/"],
    packages: ["valibot"],
  },
  { of: ["providers/base64.ts"], files: ["model/"], packages: ["node:buffer"] },
  { of: ["providers/"], files: ["model/", "providers/"], packages: ["valibot"] },
  // Of the machinery and the stages, only types: what options and replies look like.
  {
    of: ["index.ts"],
    files: ["model/", "session.ts", "flow/wait.ts", "doctor/diagnose.ts", ...DOORS],
  },
  // The demo's own look at Redis, which it leaves as it was found.
  {
    of: ["cli/demo/visit.ts"],
    files: ["cli/"],
    packages: ["node:*", "redis"],
  },
  {
    of: ["cli/demo/server.ts"],
    files: ["cli/"],
    packages: ["js-redis-server"],
  },
  {
    of: ["cli/"],
    files: ["index.ts", "providers/index.ts", "cli/"],
    packages: ["node:*", "valibot", ...CLI_PACKAGES],
  },
];

/** What every file may import. */
const ANYONE = ["version.ts"];

/** Lines a file may have; beyond this it does more than one thing. */
const MAX_LINES = 300;

const SRC = process.argv[2] ?? join(import.meta.dirname, "../src");

const sources = new Map<string, string>();
for (const name of readdirSync(SRC, { recursive: true, encoding: "utf8" }).sort()) {
  if (name.endsWith(".ts")) {
    sources.set(name.replaceAll("\\", "/"), readFileSync(join(SRC, name), "utf8"));
  }
}

const faults: string[] = [];
const lengths: number[] = [];
const graph = new Map<string, string[]>();

for (const [file, source] of sources) {
  const lines = source.trimEnd().split("\n").length;
  lengths.push(lines);
  if (lines > MAX_LINES) faults.push(`src/${file} has ${lines} lines, more than ${MAX_LINES}`);

  const layer = TABLE.find((row) => covers(row.of, file));
  if (layer === undefined) {
    faults.push(`src/${file} is in no row of the table in scripts/layers.ts`);
    continue;
  }
  graph.set(file, []);
  for (const { fileName: specifier } of ts.preProcessFile(source).importedFiles) {
    if (specifier.startsWith(".")) {
      checkFile(file, layer, normalize(join(dirname(file), specifier)).replaceAll("\\", "/"));
    } else if (!coversPackage(layer.packages ?? [], specifier)) {
      faults.push(`src/${file} may not import the module ${specifier}`);
    }
  }
}
for (const cycle of cycles()) faults.push(`import cycle: ${cycle.join(" → ")}`);

for (const fault of faults) console.error(fault);
lengths.sort((a, b) => a - b);
const median = lengths[Math.floor(lengths.length / 2)] ?? 0;
console.log(`${sources.size} files, median ${median} lines, longest ${lengths.at(-1) ?? 0}`);
if (faults.length > 0 || sources.size === 0) process.exit(1);

function checkFile(file: string, layer: Layer, target: string): void {
  if (!sources.has(target)) {
    faults.push(`src/${file} imports src/${target}, which is no file of src/ (write the .ts)`);
  } else if (!covers([...ANYONE, ...(layer.files ?? [])], target)) {
    faults.push(`src/${file} may not import src/${target}`);
  } else {
    graph.get(file)?.push(target);
  }
}

function covers(names: readonly string[], file: string): boolean {
  return names.some((name) => (name.endsWith("/") ? file.startsWith(name) : file === name));
}

function coversPackage(names: readonly string[], specifier: string): boolean {
  return names.some((name) =>
    name === "node:*" ? specifier.startsWith("node:") : specifier === name,
  );
}

/** Each cycle once, as a depth-first walk meets it. Imports of types count too. */
function cycles(): string[][] {
  const found: string[][] = [];
  const done = new Set<string>();
  const walk = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file);
    if (start >= 0) found.push([...path.slice(start), file]);
    if (start >= 0 || done.has(file)) return;
    for (const target of graph.get(file) ?? []) walk(target, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) walk(file, []);
  return found;
}
