// Builds src/ into dist/ for npm. JSR takes src/ as it is.

import { rmSync } from "node:fs";
import { defineConfig } from "tsup";
import { embeddedServer, libraryIsExternal, thirdPartyNotices } from "./scripts/bundling.ts";

// Not by `clean`: each of the two builds would remove what the other one writes.
rmSync("dist", { recursive: true, force: true });

export default defineConfig([
  {
    entry: { index: "src/index.ts", providers: "src/providers/index.ts" },
    format: "esm",
    target: "es2022",
    // tsup sets baseUrl, which TypeScript 6 calls deprecated.
    // The reference lets users without that lib read `[Symbol.asyncDispose]`.
    dts: {
      entry: {
        index: "src/index.ts",
        providers: "src/providers/index.ts",
        cli: "src/cli/main.ts",
      },
      banner: '/// <reference lib="esnext.disposable" />',
      compilerOptions: { ignoreDeprecations: "6.0" },
    },
  },
  {
    entry: { cli: "src/cli/main.ts", "demo-worker": "src/cli/demo/worker.ts" },
    format: "esm",
    target: "es2022",
    // Bundled packages that are CommonJS ask for node: modules by `require`.
    banner: {
      js: 'import { createRequire } from "node:module";\nconst require = createRequire(import.meta.url);',
    },
    // Most of it is of others and read by nobody; names stay, for stack traces.
    esbuildOptions: (options) =>
      Object.assign(options, { minifyWhitespace: true, minifySyntax: true }),
    esbuildPlugins: [libraryIsExternal(), embeddedServer(), thirdPartyNotices()],
  },
]);
