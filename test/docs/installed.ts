// A folder with embedq installed as a user has it, and what else examples import.

import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "./examples.ts";

/** Links the packages of others that examples import, by the names that their users know. */
export async function linkForUsers(dir: string): Promise<void> {
  const modules = join(dir, "node_modules");
  await mkdir(join(modules, "@ai-sdk"), { recursive: true });
  await symlink(join(ROOT, "node_modules/ai-sdk-openai-4"), join(modules, "@ai-sdk/openai"));
}

/** Runs a command to its end; what it wrote to both outputs, in the order of the outputs. */
export async function run(
  cwd: string,
  ...command: string[]
): Promise<{ output: string; exitCode: number }> {
  const [program = "", ...args] = command;
  const executable = program === "bun" ? process.execPath : program;
  const child = Bun.spawn([executable, ...args], { cwd, stdout: "pipe", stderr: "pipe" });
  const [out, errors, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { output: out + errors, exitCode };
}
