// What the shell offers at the tab key: by the protocol, and by the script in a real bash.

import { expect, test } from "bun:test";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cli } from "./run.ts";

const MAIN = join(import.meta.dir, "../../src/cli/main.ts");
/** The shell may offer files, or not. */
const [FILES, NO_FILES] = [":0", ":4"];

async function offeredTo(...words: string[]): Promise<string[]> {
  const { stdout } = await cli(["complete", "--", ...words]);
  return stdout.trimEnd().split("\n");
}

test("commands, commands of a group, options, and the words of an option are offered", async () => {
  expect(await offeredTo("sta")).toEqual([expect.stringMatching(/^stats\t\w/), NO_FILES]);
  const ofGroup = await offeredTo("dead", "");
  expect(ofGroup.map((line) => line.split("\t")[0])).toEqual([
    "ls",
    "show",
    "retry",
    "rm",
    "help",
    NO_FILES,
  ]);
  const options = await offeredTo("config", "set", "--max-");
  expect(options.map((line) => line.split("\t")[0])).toEqual([
    "--max-batch-size",
    "--max-attempts",
    "--max-dead-letters",
    NO_FILES,
  ]);
  expect(await offeredTo("demo", "--redis", "p")).toEqual(["private\t", NO_FILES]);
  expect(await offeredTo("complete", "z")).toEqual(["zsh\t", NO_FILES]);
});

test("where there is nothing to offer, the shell offers files", async () => {
  expect(await offeredTo("demo", "")).toEqual([FILES]);
  expect(await offeredTo("stats", "--config", "emb")).toEqual([FILES]);
  expect(await offeredTo("stats", "--frob")).toEqual([NO_FILES]);
});

test("a bash without anything else completes by the script, also when it is read twice", async () => {
  const folder = await mkdtemp(join(tmpdir(), "embedq-bash-"));
  try {
    const program = join(folder, "embedq");
    await writeFile(program, `#!/bin/sh\nexec "${process.execPath}" "${MAIN}" "$@"\n`);
    await chmod(program, 0o755);
    const script = `
      eval "$(embedq complete bash)" && eval "$(embedq complete bash)" || exit 1
      complete -p embedq
      COMP_WORDS=(embedq dead re) COMP_CWORD=2
      __embedq_complete 2>/dev/null
      echo "\${COMPREPLY[@]}"
      COMP_WORDS=(embedq dead ls "") COMP_CWORD=3
      __embedq_complete 2>/dev/null
      echo "\${#COMPREPLY[@]} more"`;
    const bash = Bun.spawn(["bash", "--norc", "--noprofile", "-c", script], {
      env: { ...process.env, PATH: `${folder}:${process.env["PATH"]}` },
      stdout: "pipe",
      stderr: "pipe",
    });
    const [stdout, stderr] = await Promise.all([
      new Response(bash.stdout).text(),
      new Response(bash.stderr).text(),
    ]);
    expect(stderr).toBe("");
    expect(stdout.trimEnd().split("\n")).toEqual([
      "complete -o default -F __embedq_complete embedq",
      "retry",
      "0 more",
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a shell that there is no script for is refused", async () => {
  const { code, stderr } = await cli(["complete", "tcsh"]);
  expect(code).toBe(2);
  expect(stderr).toContain("bash, zsh, fish, powershell");
});
