// The code that the documentation shows: fenced blocks of Markdown files and of doc comments.

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "../..");

export interface Example {
  /** File and line, for messages. */
  readonly from: string;
  readonly language: string;
  readonly code: string;
}

/** The examples of one Markdown file. */
export async function examplesOf(path: string): Promise<Example[]> {
  return blocksIn(path, await readFile(join(ROOT, path), "utf8"));
}

/** The examples in the doc comments of src/. */
export async function examplesInComments(): Promise<Example[]> {
  const files = await readdir(join(ROOT, "src"), { recursive: true });
  const examples: Example[] = [];
  for (const file of files.filter((name) => name.endsWith(".ts")).sort()) {
    const path = join("src", file);
    const source = await readFile(join(ROOT, path), "utf8");
    // Without the star at the begin of each comment line, a block reads as in Markdown.
    examples.push(...blocksIn(path, source.replaceAll(/^ *\* ?/gm, "")));
  }
  return examples;
}

function blocksIn(path: string, text: string): Example[] {
  const examples: Example[] = [];
  for (const match of text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)) {
    const line = text.slice(0, match.index).split("\n").length;
    examples.push({ from: `${path}:${line}`, language: match[1] ?? "", code: match[2] ?? "" });
  }
  return examples;
}
