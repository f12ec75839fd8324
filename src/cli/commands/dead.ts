// embedq dead: texts that were given up; listed, shown, sent back, removed.

import type { DeadLetter, EmbeddingQueue, SendBackCounts } from "../../index.ts";
import { type AddCommand, defineCommand, defineGroup } from "../command.ts";
import { CommandError, UsageError } from "../errors.ts";
import { EXIT } from "../exit-codes.ts";
import { counted, countedNoun, oneLine, printable } from "../format.ts";
import { newestLetter, removeLettersUpTo } from "../letters.ts";
import { count, toggle, word } from "../options/schemas.ts";
import { option, optionWith } from "../options/spec.ts";
import { Progress } from "../progress.ts";

/** Letters that are read at once where all are meant. */
const PAGE = 500;

const ls: AddCommand = defineCommand({
  name: "ls",
  isDefault: true,
  summary: "list dead letters, the oldest first",
  examples: [
    ["dead ls --newest --limit 20", "the last twenty"],
    ["dead ls --all --json", "all of them, one JSON object a line"],
  ],
  options: {
    limit: optionWith("--limit <count>", "the most to list", count(), 100),
    newest: option("--newest", "the newest first", toggle),
    after: option("--after <id>", "begin after this letter", word),
    all: option("--all", "list all, whatever the limit", toggle),
  },
  async run(context, { limit, newest, after, all }) {
    const { out } = context;
    const queue = await context.queue();
    const isAll = all === true;
    let listed = 0;
    for await (const letter of lettersOf(
      queue,
      newest === true,
      after,
      isAll ? undefined : limit,
    )) {
      context.signal.throwIfAborted();
      listed++;
      const line = out.isJson ? JSON.stringify(letter) : lineOf(letter, out.style.dim);
      await out.write(`${line}\n`);
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
      out.line(letter.text === undefined ? "" : `\n${printable(letter.text)}`);
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
    const { out, signal } = context;
    checkChoice(ids, all === true);
    const queue = await context.queue();
    const counts: Record<string, number> = {};
    if (all === true) {
      const progress = new Progress(out, "sent back");
      const { dead: total } = await queue.stats();
      const onProgress = (found: SendBackCounts) => {
        const done = Object.values(found).reduce((sum, count) => sum + count, 0);
        progress.update({ done, total });
      };
      const { done, ...found } = await queue.sendBackAll({ signal, onProgress });
      progress.end();
      if (!done) signal.throwIfAborted();
      Object.assign(counts, found);
    } else {
      for (const id of ids) {
        signal.throwIfAborted();
        const { status } = await queue.sendBack(id);
        counts[status] = (counts[status] ?? 0) + 1;
        if (!out.isJson) out.line(`${id}  ${status}`);
      }
    }
    if (out.isJson) out.json(counts);
    else if (all === true) out.line(countsText(counts));
    const isWhole = Object.entries(counts).every(([status, n]) => status === "queued" || n === 0);
    return isWhole ? EXIT.done : EXIT.partly;
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
    checkChoice(ids, all === true);
    const queue = await context.queue();
    const removed =
      all === true
        ? await removeLettersUpTo(queue, await newestLetter(queue), context.signal)
        : await queue.removeDeadLetters(ids);
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

/** @throws {UsageError} Where it is not plain which letters are meant. */
function checkChoice(ids: readonly string[], isAll: boolean): void {
  if (isAll === ids.length > 0) throw new UsageError("Name dead letters by ID, or say --all");
}

function countsText(counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts).filter(([, count]) => count > 0);
  if (parts.length === 0) return "no dead letters";
  return parts.map(([status, count]) => `${status} ${counted(count)}`).join(", ");
}

async function* lettersOf(
  queue: EmbeddingQueue,
  newestFirst: boolean,
  from: string | undefined,
  limit = Number.POSITIVE_INFINITY,
): AsyncGenerator<DeadLetter> {
  let [at, left] = [from, limit];
  while (left > 0) {
    const place = newestFirst ? { newestFirst, before: at } : { after: at };
    const page = await queue.deadLetters({ ...place, limit: Math.min(PAGE, left) });
    yield* page;
    if (page.length === 0) return;
    at = page.at(-1)?.id;
    left -= page.length;
  }
}

async function letterOf(queue: EmbeddingQueue, id: string): Promise<DeadLetter> {
  const [, ms = "", sequence = ""] = /^(\d+)-(\d+)$/.exec(id) ?? [];
  if (ms === "") {
    throw new UsageError(`An ID looks like 1795448942619-0: it is ${oneLine(id, 60)}`, {
      hint: "embedq dead ls lists them, with their keys",
    });
  }
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
