// embedq dead: texts that were given up; listed, shown, sent back, removed.

import type { DeadLetter, EmbeddingQueue } from "../../index.ts";
import { type AddCommand, defineCommand, defineGroup } from "../command.ts";
import type { Context } from "../context.ts";
import { CommandError, UsageError } from "../errors.ts";
import { EXIT } from "../exit-codes.ts";
import { countedNoun, oneLine } from "../format.ts";
import { count, toggle, word } from "../options/schemas.ts";
import { option, optionWith } from "../options/spec.ts";

/** Letters that are read at once where all are meant. */
const PAGE = 500;

const ls: AddCommand = defineCommand({
  name: "ls",
  isDefault: true,
  summary: "list dead letters, the oldest first",
  examples: [
    ["dead ls --limit 20", "the first twenty"],
    ["dead ls --all --json", "all of them, one JSON object a line"],
  ],
  options: {
    limit: optionWith("--limit <count>", "the most to list", count(), 100),
    after: option("--after <id>", "begin after this letter", word),
    all: option("--all", "list all, whatever the limit", toggle),
  },
  async run(context, { limit, after, all }) {
    const { out } = context;
    const queue = await context.queue();
    const isAll = all === true;
    let listed = 0;
    for await (const letter of lettersOf(queue, after, isAll ? undefined : limit)) {
      context.signal.throwIfAborted();
      listed++;
      if (out.isJson) out.jsonLine(letter);
      else out.line(lineOf(letter, out.style.dim));
    }
    if (!out.isJson && listed === 0) out.line("no dead letters");
    if (!isAll && listed === limit)
      out.note("There may be more: --all, or --after with the last ID");
    return undefined;
  },
});

const show: AddCommand = defineCommand({
  name: "show",
  args: "<id>",
  summary: "show one dead letter with its text",
  examples: [["dead show 1795448942619-0", "why, and which text"]],
  options: {},
  async run(context, _options, [id = ""]) {
    const { out } = context;
    const letter = await letterOf(await context.queue(), id);
    if (out.isJson) out.json(letter);
    else {
      for (const [name, value] of Object.entries({
        id: letter.id,
        key: letter.key,
        died: new Date(letter.deadAt).toISOString(),
        attempts: letter.attempts,
        reason: letter.reason,
      })) {
        out.line(`${out.style.dim(name.padEnd(10))}${oneLine(String(value ?? "-"))}`);
      }
      out.line(letter.text === undefined ? "" : `\n${letter.text}`);
    }
    return undefined;
  },
});

const retry: AddCommand = defineCommand({
  name: "retry",
  args: "[id...]",
  summary: "enqueue the texts of dead letters again",
  description: "Never over a newer text of the same key, whether it waits or is stored.",
  examples: [
    ["dead retry 1795448942619-0", "one"],
    ["dead retry --all", "all that are there now"],
  ],
  options: { all: option("--all", "all that are there now", toggle) },
  async run(context, { all }, ids) {
    const { out } = context;
    const queue = await context.queue();
    const counts: Record<string, number> = {};
    for await (const id of chosen(context, queue, ids, all === true)) {
      const { status } = await queue.sendBack(id);
      counts[status] = (counts[status] ?? 0) + 1;
      if (all !== true && !out.isJson) out.line(`${id}  ${status}`);
    }
    if (out.isJson) out.json(counts);
    else if (all === true) {
      const parts = Object.entries(counts).map(([status, n]) => `${status} ${n}`);
      out.line(parts.length === 0 ? "no dead letters" : parts.join(", "));
    }
    return Object.keys(counts).some((status) => status !== "queued") ? EXIT.partly : EXIT.done;
  },
});

const rm: AddCommand = defineCommand({
  name: "rm",
  args: "[id...]",
  summary: "remove dead letters for good",
  examples: [
    ["dead rm 1795448942619-0", "one"],
    ["dead rm --all", "all that are there now"],
  ],
  options: { all: option("--all", "all that are there now", toggle) },
  async run(context, { all }, ids) {
    const { out } = context;
    const queue = await context.queue();
    let removed = 0;
    for await (const id of chosen(context, queue, ids, all === true)) {
      removed += await queue.removeDeadLetters([id]);
    }
    if (out.isJson) out.json({ removed });
    else out.line(`${countedNoun(removed, "dead letter")} removed`);
    return all === true || removed === ids.length ? EXIT.done : EXIT.partly;
  },
});

export const dead: AddCommand = defineGroup(
  "dead",
  "list, show, retry and remove texts that were given up",
  [ls, show, retry, rm],
);

/** The IDs that were named; or those of all letters that were there when it began. */
async function* chosen(
  { signal }: Context,
  queue: EmbeddingQueue,
  ids: readonly string[],
  isAll: boolean,
): AsyncGenerator<string> {
  if (isAll === ids.length > 0) throw new UsageError("Name dead letters by ID, or say --all");
  if (!isAll) {
    yield* ids;
    return;
  }
  // A text that dies again meanwhile has a letter after these.
  const { dead: total } = await queue.stats();
  for await (const { id } of lettersOf(queue, undefined, total)) {
    signal.throwIfAborted();
    yield id;
  }
}

async function* lettersOf(
  queue: EmbeddingQueue,
  after: string | undefined,
  limit = Number.POSITIVE_INFINITY,
): AsyncGenerator<DeadLetter> {
  let [from, left] = [after, limit];
  while (left > 0) {
    const page = await queue.deadLetters({ after: from, limit: Math.min(PAGE, left) });
    yield* page;
    if (page.length === 0) return;
    from = page.at(-1)?.id;
    left -= page.length;
  }
}

async function letterOf(queue: EmbeddingQueue, id: string): Promise<DeadLetter> {
  const [, ms = "", sequence = ""] = /^(\d+)-(\d+)$/.exec(id) ?? [];
  if (ms === "") throw new UsageError(`An ID looks like 1795448942619-0: it is ${oneLine(id, 60)}`);
  // The letter after the one that would stand before it.
  const before =
    sequence === "0" ? `${BigInt(ms) - 1n}-18446744073709551615` : `${ms}-${BigInt(sequence) - 1n}`;
  const [letter] = await queue.deadLetters({ after: before, limit: 1 });
  if (letter?.id === id) return letter;
  throw new CommandError(`There is no dead letter ${id}`, { hint: "embedq dead ls lists them" });
}

function lineOf({ id, key, attempts, reason }: DeadLetter, dim: (text: string) => string): string {
  const tries = countedNoun(attempts, "attempt");
  return `${dim(id)}  ${oneLine(key ?? "-")}  ${dim(tries)}  ${oneLine(reason)}`;
}
