// Builds src/ into dist/ for npm. JSR takes src/ as it is.
import { defineConfig } from "tsup";

export default defineConfig({
  entry: { index: "src/index.ts", providers: "src/providers/index.ts", cli: "src/cli/main.ts" },
  format: "esm",
  target: "es2022",
  clean: true,
  // tsup sets baseUrl, which TypeScript 6 calls deprecated.
  // The reference lets users without that lib read `[Symbol.asyncDispose]`.
  dts: {
    banner: '/// <reference lib="esnext.disposable" />',
    compilerOptions: { ignoreDeprecations: "6.0" },
  },
});
