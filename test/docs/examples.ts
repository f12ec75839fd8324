// What the documentation shows: fenced blocks of Markdown files and of doc comments, with what
// stands above a block in a comment that readers do not see:
//
//   <!-- not run: why -->       a shell block that no test runs
//   <!-- exit: 4 -->            a shell block that ends with this code, not with 0
//   <!-- output -->             a text block: what the shell block before it prints; … stands for anything
//   <!-- file: path -->         the block is the whole of this file of the checkout
//   <!-- saved as: name -->     a file that the shell blocks after it find in their folder

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

export const ROOT: string = join(import.meta.dir, "../..");

export interface Example {
  /** File and line, for messages. */
  readonly from: string;
  /** Empty where the fence names none. */
  readonly language: string;
  readonly code: string;
  /** The comment above it, without its brackets: `not run: why`. */
  readonly mark: string | undefined;
}

/** Every page that users read, and those for people who work on embedq. */
export async function pages(): Promise<string[]> {
  const found = await readdir(join(ROOT, "docs"), { recursive: true });
  const docs = found.filter((name) => name.endsWith(".md")).map((name) => join("docs", name));
  return ["README.md", "CHANGELOG.md", "examples/README.md", ...docs.sort()];
}

export function textOf(path: string): Promise<string> {
  return readFile(join(ROOT, path), "utf8");
}

/** The examples of one Markdown file. */
export async function examplesOf(path: string): Promise<Example[]> {
  return blocksIn(path, await textOf(path));
}

/** The examples of all pages. */
export async function allExamples(): Promise<Example[]> {
  return (await Promise.all((await pages()).map(examplesOf))).flat();
}

/** The examples in the doc comments of src/. */
export async function examplesInComments(): Promise<Example[]> {
  const files = await readdir(join(ROOT, "src"), { recursive: true });
  const examples: Example[] = [];
  for (const file of files.filter((name) => name.endsWith(".ts")).sort()) {
    const path = join("src", file);
    // Without the star at the begin of each comment line, a block reads as in Markdown.
    examples.push(...blocksIn(path, (await textOf(path)).replaceAll(/^ *\* ?/gm, "")));
  }
  return examples;
}

/** What a mark says after its word: `whyOf(example, "not run")`. */
export function markOf({ mark }: Example, word: string): string | undefined {
  return mark?.startsWith(`${word}:`) ? mark.slice(word.length + 1).trim() : undefined;
}

function blocksIn(path: string, text: string): Example[] {
  const examples: Example[] = [];
  const block = /^(?:<!-- (.+?) -->\n+)?( *)```(.*)\n([\s\S]*?)^ *```$/gm;
  for (const match of text.matchAll(block)) {
    const [, mark, , language = "", code = ""] = match;
    const line = text.slice(0, match.index).split("\n").length;
    examples.push({ from: `${path}:${line}`, language, code, mark });
  }
  return examples;
}
