// Runs the command line as its users do, in a process of its own, and hears all of it.

import { join } from "node:path";

const MAIN = join(import.meta.dir, "../../src/cli/main.ts");

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Standard output as the JSON that it is. */
  readonly json: unknown;
}

export interface CliOptions {
  /** @default nothing */
  readonly stdin?: string | Uint8Array | Blob;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** What of the surroundings could change what the command line does. */
const CLEARED = { REDIS_URL: "", NO_COLOR: "", FORCE_COLOR: "", OPENAI_API_KEY: "" };

/** Starts `embedq` with these words; the caller hears and ends it. */
export function startCli(args: readonly string[], options: CliOptions = {}) {
  const { stdin = "", env = {}, cwd } = options;
  return Bun.spawn([process.execPath, MAIN, ...args], {
    cwd: cwd ?? import.meta.dir,
    env: { ...process.env, ...CLEARED, ...env },
    stdin: new Blob([stdin as Blob]),
    stdout: "pipe",
    stderr: "pipe",
  });
}

/** Runs `embedq` with these words to its end. */
export async function cli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const child = startCli(args, options);
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return {
    code,
    stdout,
    stderr,
    get json() {
      return JSON.parse(stdout) as unknown;
    },
  };
}
