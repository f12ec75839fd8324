// An embedder that a file of the user's exports: loaded, with what helps where that fails.

import { access } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Embedder, EmbedFunction } from "../index.ts";
import { messageOf, UsageError } from "./errors.ts";

/**
 * @returns What the file exports, an embedder or a function from texts to vectors.
 * @throws {UsageError} Where it cannot be loaded, or exports nothing of the kind.
 */
export async function loadEmbedder(path: string): Promise<Embedder | EmbedFunction> {
  const { embedder, default: fallback } = await load(path);
  const found = embedder ?? fallback;
  if (typeof found === "function") return found as EmbedFunction;
  if (typeof (found as Partial<Embedder> | undefined)?.embed === "function") {
    return found as Embedder;
  }
  throw new UsageError(
    `The file ${path} must export an embedder as \`embedder\` or as default: an object { model, dimensions, embed }, or a function from texts to vectors`,
  );
}

async function load(path: string): Promise<{ embedder?: unknown; default?: unknown }> {
  const file = resolve(path);
  const isThere = await access(file).then(
    () => true,
    () => false,
  );
  if (!isThere) throw new UsageError(`Cannot load the embedder in ${path}: no such file`);
  // Standard output is for results: what the file says beside its work must not come between them.
  console.log = console.info = console.debug = console.error;
  try {
    return (await import(pathToFileURL(file).href)) as { embedder?: unknown; default?: unknown };
  } catch (error) {
    throw new UsageError(`Cannot load the embedder in ${path}: ${messageOf(error)}`, {
      cause: error,
      hint: hintFor(path, error),
    });
  }
}

function hintFor(path: string, error: unknown): string | undefined {
  const message = messageOf(error);
  if (/Unexpected token 'export'|Cannot use import statement/.test(message)) {
    return `Node takes ${path} for CommonJS: let its name end with .mjs, or say "type": "module" in package.json`;
  }
  if (/Unknown file extension "\.[cm]?ts"/.test(message)) {
    return "this Node reads no TypeScript: bunx --bun embedq or Deno does, and Node from 22.18 on";
  }
  const [, missing] = /Cannot find (?:package|module) '([^'./][^']*)'/.exec(message) ?? [];
  if (missing !== undefined) {
    return `packages are looked for from the file's folder upwards: npm install ${missing} there`;
  }
  return error instanceof SyntaxError ? `node --check ${path} shows the line` : undefined;
}
