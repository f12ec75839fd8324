// The demo's command line.

import { parseArgs } from "node:util";

export const USAGE = `The queue at work: enqueues real texts, drains them in two other processes, and searches the vectors.

Usage: npm run demo -- [options] [file or folder ...]

  file or folder ...   texts to embed instead of the Markdown of this repository and its packages
  --redis KIND         url: the Redis that REDIS_URL names, which is left as it was found
                       private: a redis-server from PATH, for this run only
                       embedded: a server in the demo's own process, for at most 1,000 texts
                       (default: the first of them that can be had)
  --texts N            how many texts (default: 3000; embedded: 600)
  --ask QUESTION       what to look for; may be given several times
  --help
`;

const KINDS = ["url", "private", "embedded"] as const;

export type RedisKind = (typeof KINDS)[number];

export interface DemoOptions {
  readonly help: boolean;
  /** Undefined: the first that can be had. */
  readonly redis: RedisKind | undefined;
  /** Undefined: as many as the server takes well. */
  readonly texts: number | undefined;
  readonly questions: readonly string[];
  readonly files: readonly string[];
}

/** @throws {Error} That says what is wrong with the command line. */
export function readOptions(args: readonly string[]): DemoOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      redis: { type: "string" },
      texts: { type: "string" },
      ask: { type: "string", multiple: true, default: [] },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  return {
    help: values.help,
    redis: values.redis === undefined ? undefined : kindOf(values.redis),
    texts: values.texts === undefined ? undefined : countOf(values.texts),
    questions: values.ask.filter((question) => question.trim() !== ""),
    files: positionals,
  };
}

function kindOf(word: string): RedisKind {
  const kind = KINDS.find((known) => known === word);
  if (kind === undefined) {
    throw new Error(`--redis must be one of ${KINDS.join(", ")}: it is ${JSON.stringify(word)}`);
  }
  return kind;
}

function countOf(word: string): number {
  const count = Number(word);
  if (!Number.isInteger(count) || count < 1) {
    throw new Error(`--texts must be a whole number from 1: it is ${JSON.stringify(word)}`);
  }
  return count;
}
