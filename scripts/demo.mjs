// `npm run demo`: the queue at work, for real. Installs the dependencies if any is missing, then
// hands over to `embedq demo` of the sources, on Bun. Plain Node, because nothing else is there yet.

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { setUpPackages } from "./setup.mjs";

const BUN = fileURLToPath(new URL("../node_modules/.bin/bun", import.meta.url));
const MAIN = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));

if (setUpPackages()) {
  // In the caller's folder, so that the files it names are found.
  const cwd = process.env.INIT_CWD ?? process.cwd();
  const demo = spawn(BUN, [MAIN, "demo", ...process.argv.slice(2)], { cwd, stdio: "inherit" });
  // A terminal's Ctrl-C reaches both of us, another signal perhaps only this process. The demo
  // takes the same signal twice for one, cleans up and ends; then so do we.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => demo.kill(signal));
  demo.on("error", (error) => {
    console.error(`demo: cannot start bun: ${error.message}`);
    process.exitCode = 1;
  });
  demo.on("exit", (code) => {
    process.exitCode = code ?? 1;
  });
} else {
  console.error("demo: cannot install the dependencies");
  process.exitCode = 1;
}
