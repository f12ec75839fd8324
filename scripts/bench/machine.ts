// What the figures were measured on.

import { execFileSync } from "node:child_process";
import { arch, cpus, release, totalmem, type } from "node:os";
import { COMMANDS, type Runtime } from "./runner.ts";

export interface Machine {
  readonly system: string;
  readonly processor: string;
  readonly cores: number;
  readonly memoryGb: number;
}

export function describeMachine(): Machine {
  const [first] = cpus();
  return {
    system: `${type()} ${release()} ${arch()}`,
    processor: first?.model ?? "unknown",
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
  };
}

/** The commit, with a mark where the files differ from it. */
export function describeCommit(root: string): string {
  const git = (...args: string[]) => firstLine("git", ["-C", root, ...args]);
  const changes = git("status", "--porcelain", "--untracked-files=no");
  return `${git("rev-parse", "HEAD")}${changes === "" ? "" : " with changes"}`;
}

export function describeRuntimes(runtimes: readonly Runtime[]): Record<string, string> {
  const versions = runtimes.map((runtime) => {
    const [program = ""] = COMMANDS[runtime];
    return [runtime, firstLine(program, ["--version"])];
  });
  return Object.fromEntries([
    ...versions,
    ["redis-server", firstLine("redis-server", ["--version"])],
  ]);
}

function firstLine(program: string, args: readonly string[]): string {
  try {
    return execFileSync(program, args, { encoding: "utf8" }).split("\n")[0] ?? "";
  } catch {
    return "unknown";
  }
}
