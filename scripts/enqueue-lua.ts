// docs/enqueue.lua, the script of an enqueue for other languages, made from the source. `bun
// scripts/enqueue-lua.ts` writes it, `--check` only compares.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PROTOCOL } from "../src/model/settings.ts";
import { ENQUEUE } from "../src/redis/scripts/enqueue.ts";

const FILE = join(import.meta.dirname, "..", "docs/enqueue.lua");
const wanted = `-- embedq, protocol ${PROTOCOL}: accepts texts. Made by scripts/enqueue-lua.ts; how to call it
-- stands in docs/guides/from-other-languages.md.
${ENQUEUE.source.trimEnd()}
`;

if (!process.argv.includes("--check")) {
  writeFileSync(FILE, wanted);
} else if (!existsSync(FILE) || readFileSync(FILE, "utf8") !== wanted) {
  console.error("docs/enqueue.lua differs from the source: bun scripts/enqueue-lua.ts");
  process.exit(1);
}
console.log(`${wanted.split("\n").length} lines`);
