// What the build of the command line needs beside esbuild: it uses the library that lies beside it,
// and the licences of the packages in it travel with it.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import type { Options } from "tsup";

type Plugin = NonNullable<Options["esbuildPlugins"]>[number];

/** The files of the library that the command line imports, and what they are built to. */
const LIBRARY: Readonly<Record<string, string>> = {
  [resolve("src/index.ts")]: "./index.js",
  [resolve("src/providers/index.ts")]: "./providers.js",
};

/** Leaves the library out: there is one copy of it, for the command line and for everybody. */
export function libraryIsExternal(): Plugin {
  return {
    name: "library-is-external",
    setup(build) {
      build.onResolve({ filter: /\/index\.ts$/ }, ({ path, resolveDir }) => {
        const built = LIBRARY[resolve(resolveDir, path)];
        return built === undefined ? undefined : { path: built, external: true };
      });
    },
  };
}

/** Lays the engine of the embedded server beside the chunk that looks for it there. */
export function embeddedServer(): Plugin {
  return {
    name: "embedded-server",
    setup(build) {
      build.onEnd(() => {
        // tsup writes its own files after this.
        mkdirSync("dist", { recursive: true });
        const server = createRequire(import.meta.url).resolve("js-redis-server");
        const engine = dirname(createRequire(server).resolve("lua-redis-wasm"));
        for (const file of ["redis_lua.wasm", "redis_lua.mjs"]) {
          writeFileSync(join("dist", file), readFileSync(join(engine, file)));
        }
      });
    },
  };
}

/** Writes the licences of all packages that were bundled. */
export function thirdPartyNotices(): Plugin {
  return {
    name: "third-party-notices",
    setup(build) {
      build.initialOptions.metafile = true;
      build.onEnd(({ metafile }) => {
        const folders = new Set<string>();
        for (const input of Object.keys(metafile?.inputs ?? {})) {
          const [folder] = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input) ?? [];
          if (folder !== undefined) folders.add(folder);
        }
        mkdirSync("dist", { recursive: true });
        const notices = [...folders].map(noticeOf).sort();
        writeFileSync("dist/THIRD-PARTY-LICENSES.txt", [HEAD, ...notices].join(RULE));
      });
    },
  };
}

const HEAD = "The command line of embedq contains parts of these packages, under their licences.\n";
const RULE = `\n${"-".repeat(80)}\n\n`;

/** @throws {Error} For a package that states no licence. */
function noticeOf(folder: string): string {
  const { name, version, license, author } = JSON.parse(
    readFileSync(join(folder, "package.json"), "utf8"),
  ) as { name: string; version: string; license?: string; author?: string | { name: string } };
  const files = readdirSync(folder)
    .filter((file) => /^(?:licen[cs]e|notice|third.?party)/i.test(file))
    .sort();
  const texts = files.map((file) => readFileSync(join(folder, file), "utf8").trim());
  if (texts.length === 0) {
    if (license !== "MIT") throw new Error(`${name} has no licence file, and is not under MIT`);
    const by = typeof author === "string" ? author : author?.name;
    texts.push(mit(by ?? `the authors of ${name}`));
  }
  return [`${name} ${version} (${license})`, ...texts].join("\n\n").concat("\n");
}

/** For a package that names this licence and has no file of it. */
function mit(holder: string): string {
  const own = readFileSync("LICENSE", "utf8");
  return own.replace(/^Copyright.*$/m, `Copyright (c) ${holder.replace(/ *[<(].*/, "")}`).trim();
}
