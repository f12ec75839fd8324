// What the demo embeds: real paragraphs, in an order that is the same at every run.

import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { paragraphsOf, plainParagraphsOf } from "./paragraphs.ts";

const ROOT = join(import.meta.dirname, "../..");
const MARKDOWN = /\.(?:md|mdx|markdown)$/i;
/** Words of law, which many packages share, and a thousand pages on lint rules, which are all alike. */
const LEFT_OUT = /(?:licen[cs]e|third.?party|notice|copying)[^/]*$|\/docs\/lint\/rules\//i;

export interface Passage {
  readonly text: string;
  /** The file it is from, as it is shown. */
  readonly source: string;
  /** Its place in that file, from 0. */
  readonly place: number;
}

export interface Corpus {
  readonly passages: readonly Passage[];
  /** How many files they are from. */
  readonly files: number;
}

/**
 * The paragraphs of the named files and folders, in their order; without names, those of this
 * repository's Markdown and of the installed packages'.
 *
 * @throws {Error} When a file cannot be read, or there is no paragraph.
 */
export function collectCorpus(names: readonly string[], count: number): Corpus {
  const found = names.length > 0 ? passagesOf(names.flatMap(filesOf), true) : defaultPassages();
  const passages = found.slice(0, count);
  if (passages.length === 0) throw new Error(`No paragraph found in ${names.join(", ")}`);
  return { passages, files: new Set(passages.map(({ source }) => source)).size };
}

/**
 * The repository's own first. Then the first paragraph of every file of the packages, the second of
 * every file, and so on: a small corpus has all subjects too, and what comes first says most.
 */
function defaultPassages(): Passage[] {
  const own = passagesOf(markdownIn(ROOT));
  const others = passagesOf(markdownIn(join(ROOT, "node_modules")));
  return unique([...own, ...others.toSorted((a, b) => a.place - b.place)]);
}

/** Files that the user names are taken whole; of others only what reads well in an answer. */
function passagesOf(files: readonly string[], whole = false): Passage[] {
  return unique(
    files.flatMap((file) => {
      const text = readFileSync(file, "utf8");
      const texts = MARKDOWN.test(file) ? paragraphsOf(text, whole) : plainParagraphsOf(text);
      return texts.map((text, place) => ({ text, source: shownName(file), place }));
    }),
  );
}

function unique(passages: readonly Passage[]): Passage[] {
  return [
    ...new Map(passages.toReversed().map((passage) => [passage.text, passage])).values(),
  ].reverse();
}

function filesOf(name: string): string[] {
  return statSync(name).isDirectory() ? markdownIn(name) : [name];
}

/** All Markdown below a folder, sorted; not in hidden folders, nor in packages installed there. */
function markdownIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.name.startsWith(".") || entry.name === "node_modules") return [];
      if (entry.isDirectory()) return markdownIn(path);
      return MARKDOWN.test(path) && !LEFT_OUT.test(path) ? [path] : [];
    });
}

function shownName(file: string): string {
  const name = relative(ROOT, file);
  return name.startsWith("..") ? file : name.replace(/^node_modules\//, "");
}
