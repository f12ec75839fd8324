// What the demo embeds: real texts, in an order that is the same at every run.

import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { CommandError, UsageError } from "../errors.ts";
import { EXIT } from "../exit-codes.ts";
import { commentsOf, paragraphsOf, plainParagraphsOf, sentencesOf } from "./paragraphs.ts";
import { isSource, root } from "./place.ts";

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

/** Files that the user names; the Markdown of the repository and its packages; embedq's own documentation. */
export type CorpusKind = "named" | "repository" | "package";

export interface Corpus {
  readonly kind: CorpusKind;
  readonly passages: readonly Passage[];
  /** How many files they are from. */
  readonly files: number;
}

/**
 * The paragraphs of the named files and folders, in their order. Without names: in a clone of the
 * repository its Markdown and that of the installed packages, elsewhere the package's documentation.
 *
 * @throws {UsageError} When a file cannot be read, or there is no paragraph.
 * @throws {CommandError} Where nothing is named, and no documentation lies beside the program.
 */
export function collectCorpus(names: readonly string[], count: number): Corpus {
  const kind = names.length > 0 ? "named" : isSource ? "repository" : "package";
  const passages = find(kind, names).slice(0, count);
  if (passages.length === 0) throw new UsageError(`No paragraph found in ${names.join(", ")}`);
  return { kind, passages, files: new Set(passages.map(({ source }) => source)).size };
}

function find(kind: CorpusKind, names: readonly string[]): Passage[] {
  if (kind === "named") return unique(filesNamed(names).flatMap((file) => passagesOf(file, true)));
  if (root.protocol !== "file:") {
    throw new CommandError("Which texts? This copy of embedq has none with it", {
      exitCode: EXIT.usage,
      hint: "embedq demo notes.md",
    });
  }
  const folder = fileURLToPath(root);
  return kind === "repository" ? repositoryIn(folder) : packageIn(folder);
}

/**
 * The repository's own first. Then the first paragraph of every file of the packages, the second of
 * every file, and so on: a small corpus has all subjects too, and what comes first says most.
 */
function repositoryIn(folder: string): Passage[] {
  const own = markdownIn(folder).flatMap((file) => passagesOf(file));
  const others = unique(
    markdownIn(join(folder, "node_modules")).flatMap((file) => passagesOf(file)),
  );
  return unique([...own, ...others.toSorted((a, b) => a.place - b.place)]);
}

/** The package has few files: sentence by sentence, and with the comments of its types. */
function packageIn(folder: string): Passage[] {
  const types = readdirSync(join(folder, "dist")).filter((name) => name.endsWith(".d.ts"));
  const files = [...markdownIn(folder), ...types.sort().map((name) => join(folder, "dist", name))];
  const passages = files.flatMap((file) => {
    const text = readFileSync(file, "utf8");
    const blocks = MARKDOWN.test(file) ? paragraphsOf(text, true) : commentsOf(text);
    return placed(file, blocks.flatMap(sentencesOf));
  });
  return unique(passages);
}

/** Files that the user names are taken whole; of others only what reads well in an answer. */
function passagesOf(file: string, whole = false): Passage[] {
  const text = readFileSync(file, "utf8");
  return placed(file, MARKDOWN.test(file) ? paragraphsOf(text, whole) : plainParagraphsOf(text));
}

function placed(file: string, texts: readonly string[]): Passage[] {
  const source = shownName(file);
  return texts.map((text, place) => ({ text, source, place }));
}

function unique(passages: readonly Passage[]): Passage[] {
  return [
    ...new Map(passages.toReversed().map((passage) => [passage.text, passage])).values(),
  ].reverse();
}

function filesNamed(names: readonly string[]): string[] {
  return names.flatMap((name) => {
    try {
      return statSync(name).isDirectory() ? markdownIn(name) : [name];
    } catch (error) {
      throw new UsageError(`Cannot read ${name}: ${(error as Error).message}`);
    }
  });
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
  if (root.protocol !== "file:") return file;
  const name = relative(fileURLToPath(root), file);
  return name.startsWith("..") ? file : name.replace(/^node_modules\//, "");
}
